//===- StreamRecordOps.td - what instructions refer to -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMRECORDOPS_TD
#define TAKT_DIALECT_STREAM_STREAMRECORDOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "takt/Dialect/Stream/StreamAttributes.td"

class Stream_Op<string mnemonic, list<Trait> traits = []>
    : Op<Stream_Dialect, mnemonic, traits>;

class Stream_Record<string mnemonic>
    : Stream_Op<mnemonic, [HasParent<"ProgramOp">]>;

def Stream_Tensors : TypedArrayAttrBase<Stream_TensorAttr, "tensors">;

def Stream_ProgramOp : Stream_Op<"program", [
    NoTerminator, SingleBlock, NoRegionArguments, IsolatedFromAbove]> {
  let summary = "the program of the whole array";
  let description = [{
    The model's and the scheduler's name, the predicted cycles between two
    minibatches, the batch size, the machine's canonical text and the initial
    data. Records of a kind are numbered by their order.

    Constraints:
    - C1: holds only operations of this dialect that are no instructions.
    - C2: `data`, if there is any, is a vector of i8.

    Whether the program is valid (`takt::validate`) is checked when it becomes a
    container.

    Example:
    ```mlir
    stream.program "lenet" by "list" interval 100 batch 8 machine "" {
      stream.layer "conv1"
    }
    ```
  }];
  let arguments = (ins StrAttr:$model, StrAttr:$schedule, I64Attr:$interval,
    I64Attr:$batch, StrAttr:$machine,
    OptionalAttr<ElementsAttr>:$data);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $model `by` $schedule `interval` $interval `batch` $batch
    `machine` $machine (`data` $data^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Stream_RegionOp : Stream_Record<"region"> {
  let summary = "a region of memory";
  let description = [{
    What it holds, the processor that owns it (none: it is the host's), its size
    in bytes, its alignment, and whether programs read ("r") and write ("w") it.

    Constraints:
    - C1: the access is "rw", "r", "w" or "".

    Example:
    ```mlir
    stream.region activation on 0 bytes 1024 align 64 access "rw"
    stream.region host_input bytes 1024 align 64 access "r"
    ```
  }];
  let arguments = (ins Stream_RegionKindAttr:$kind,
    OptionalAttr<I64Attr>:$processor, I64Attr:$bytes, I64Attr:$alignment,
    StrAttr:$access);
  let assemblyFormat = [{
    $kind (`on` $processor^)? `bytes` $bytes `align` $alignment
    `access` $access attr-dict
  }];
  let hasVerifier = 1;
}

def Stream_BindingOp : Stream_Record<"binding"> {
  let summary = "what the host supplies or receives for every minibatch";
  let description = [{
    Its name, what it is for, its type and the host's region.

    Constraints:
    - C1: the type is one of a `#stream.tensor`.

    Example:
    ```mlir
    stream.binding "image" input : tensor<8x1x28x28xf32> in 0
    ```
  }];
  let arguments = (ins StrAttr:$name, Stream_BindingRoleAttr:$role,
    TypeAttr:$type, I64Attr:$region);
  let assemblyFormat = "$name $role `:` $type `in` $region attr-dict";
  let hasVerifier = 1;
}

def Stream_ScalarOp : Stream_Record<"scalar"> {
  let summary = "a run-time scalar that the host writes";
  let description = [{
    Scalar 0 is the learning rate, scalar 1 the number of iterations.

    Example:
    ```mlir
    stream.scalar "learning_rate" 1.000000e-01
    ```
  }];
  let arguments = (ins StrAttr:$name, F64Attr:$value);
  let assemblyFormat = "$name $value attr-dict";
}

def Stream_SemaphoreOp : Stream_Record<"semaphore"> {
  let summary = "a monotonic counter with one writer";
  let description = [{
    The processor that adds to it, the one that waits on it, and its value at
    the beginning.

    Example:
    ```mlir
    stream.semaphore from 0 to 1 initial 0
    ```
  }];
  let arguments = (ins I64Attr:$writer, I64Attr:$waiter, I64Attr:$initial);
  let assemblyFormat = [{
    `from` $writer `to` $waiter `initial` $initial attr-dict
  }];
}

def Stream_ValueOp : Stream_Record<"value"> {
  let summary = "a value of the training step";
  let description = [{
    Whatever processors hold copies of it.

    Constraints:
    - C1: the type is one of a `#stream.tensor`.

    Example:
    ```mlir
    stream.value "conv1.F.conv" : tensor<8x6x28x28xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, TypeAttr:$type);
  let assemblyFormat = "$name `:` $type attr-dict";
  let hasVerifier = 1;
}

def Stream_ParameterOp : Stream_Record<"parameter"> {
  let summary = "a named tensor that outlives the minibatch";
  let description = [{
    What it is for, its layer, its delay in updates, by how many updates what
    dgrad reads is newer than what forward tasks read (`lead`), which of an
    iteration's updates makes it (`update` of 0 to `last_update`), the ring of its
    owner, and the values that reads carry and that the update produces. The initial value
    is the element whose bytes `splat` holds, or lies in the program's data from
    `data` on. A derived parameter begins as the slice of parameter `base` that
    begins at `begin` on `axis`.

    Constraints:
    - C1: `splat` has 8 numbers from 0 to 255.

    Example:
    ```mlir
    stream.parameter "w" trainable layer 0 delay 2 home #stream.tensor<type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 5> read 1 write 5 splat [0, 0, 128, 63, 0, 0, 0, 0]
    stream.parameter "v" trainable layer 0 delay 0 home #stream.tensor<type = tensor<4xf32>, region = 0, offset = 192, slots = 1, stride = 64, lag = 0, value = 6> read 2 write 6 data 128
    stream.parameter "s" derived layer 0 delay 2 home #stream.tensor<type = tensor<2xf32>, region = 0, offset = 256, slots = 3, stride = 64, lag = 0, value = 7> read 3 write 7 base 0 axis 0 begin 2 splat [0, 0, 0, 0, 0, 0, 0, 0]
    ```
  }];
  let arguments = (ins StrAttr:$name, Stream_ParameterRoleAttr:$role,
    I64Attr:$layer, I64Attr:$delay, DefaultValuedAttr<I64Attr, "0">:$lead,
    DefaultValuedAttr<I64Attr, "0">:$update,
    DefaultValuedAttr<I64Attr, "0">:$last_update,
    Stream_TensorAttr:$home, I64Attr:$read_value, I64Attr:$write_value,
    DefaultValuedAttr<I64Attr, "0">:$base,
    DefaultValuedAttr<I64Attr, "0">:$axis,
    DefaultValuedAttr<I64Attr, "0">:$begin,
    OptionalAttr<DenseI64ArrayAttr>:$splat,
    DefaultValuedAttr<I64Attr, "0">:$data_offset);
  let assemblyFormat = [{
    $name $role `layer` $layer `delay` $delay (`lead` $lead^)?
    (`update` $update^)? (`last_update` $last_update^)? `home` $home
    `read` $read_value `write` $write_value (`base` $base^)? (`axis` $axis^)? (`begin` $begin^)?
    (`splat` $splat^)? (`data` $data_offset^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Stream_InitializerOp : Stream_Record<"initializer"> {
  let summary = "initial content of a ring";
  let description = [{
    Every slot of the target starts as the parameter's initial value, or as the
    slice of it that begins at `begin` on `axis`.

    Example:
    ```mlir
    stream.initializer 0 axis 0 begin 0 into #stream.tensor<type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 5>
    ```
  }];
  let arguments = (ins I64Attr:$parameter, I64Attr:$axis, I64Attr:$begin,
    Stream_TensorAttr:$target);
  let assemblyFormat = [{
    $parameter `axis` $axis `begin` $begin `into` $target attr-dict
  }];
}

def Stream_KernelOp : Stream_Record<"kernel"> {
  let summary = "a call of a kernel";
  let description = [{
    The kernel, the task that it belongs to, its predicted cycles, its
    attributes as words (see `Kernels.def`), operands and results.

    Constraints:
    - C1: the name is a mnemonic of `Kernels.def`.

    Example:
    ```mlir
    stream.kernel "relu" task 0 cycles 12 words []
      operands [#stream.tensor<type = tensor<4xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 3>]
      results [#stream.tensor<type = tensor<4xf32>, region = 0, offset = 64, slots = 2, stride = 64, lag = 0, value = 4>]
    ```
  }];
  let arguments = (ins StrAttr:$kernel, I64Attr:$task, I64Attr:$cycles,
    DenseI64ArrayAttr:$words, Stream_Tensors:$operand_tensors,
    Stream_Tensors:$result_tensors);
  let assemblyFormat = [{
    $kernel `task` $task `cycles` $cycles `words` $words
    `operands` $operand_tensors `results` $result_tensors attr-dict
  }];
  let hasVerifier = 1;
}

def Stream_TransferOp : Stream_Record<"transfer"> {
  let summary = "a copy into a peer's memory";
  let description = [{
    Source and destination, the semaphores of its arrival and its completion,
    and the predicted cycles on the link and from there to the arrival.

    Example:
    ```mlir
    stream.transfer #stream.tensor<type = tensor<4xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 5> to #stream.tensor<type = tensor<4xf32>, region = 1, offset = 0, slots = 2, stride = 64, lag = 0, value = 5> arrival 0 completion 1 cycles 4 latency 1
    ```
  }];
  let arguments = (ins Stream_TensorAttr:$source, Stream_TensorAttr:$destination,
    I64Attr:$arrival, I64Attr:$completion, I64Attr:$cycles, I64Attr:$latency);
  let assemblyFormat = [{
    $source `to` $destination `arrival` $arrival `completion` $completion
    `cycles` $cycles `latency` $latency attr-dict
  }];
}

def Stream_HostCopyOp : Stream_Record<"host_copy"> {
  let summary = "a copy between the host and a local buffer";
  let description = [{
    The binding, and the tensor in a processor's memory.

    Example:
    ```mlir
    stream.host_copy 0 at #stream.tensor<type = tensor<4xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 5>
    ```
  }];
  let arguments = (ins I64Attr:$binding, Stream_TensorAttr:$local);
  let assemblyFormat = "$binding `at` $local attr-dict";
}

def Stream_TaskOp : Stream_Record<"task"> {
  let summary = "a task where the scheduler placed it";
  let description = [{
    Kind, layer, processor, predicted start (of minibatch 0) and duration in
    cycles.

    Example:
    ```mlir
    stream.task "conv1.F" F layer 0 on 1 at 100 for 40
    ```
  }];
  let arguments = (ins StrAttr:$name, Stream_LetterAttr:$kind, I64Attr:$layer,
    I64Attr:$processor, I64Attr:$start, I64Attr:$cycles);
  let assemblyFormat = [{
    $name $kind `layer` $layer `on` $processor `at` $start `for` $cycles
    attr-dict
  }];
}

def Stream_LayerOp : Stream_Record<"layer"> {
  let summary = "the name of a layer";
  let description = [{
    Example:
    ```mlir
    stream.layer "conv1"
    ```
  }];
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
}

def Stream_ProcessorOp : Stream_Op<"processor", [
    HasParent<"ProgramOp">, NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "the instruction stream of the next processor";
  let description = [{
    The body of its loop is what the processor does in every trip.

    Constraints:
    - C1: holds only instructions.

    Example:
    ```mlir
    stream.processor {
      stream.loop 2 plus 4 scalar 1
      stream.execute 0 stage 4
      stream.checkpoint
      stream.end_loop
      stream.halt 0
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

#endif // TAKT_DIALECT_STREAM_STREAMRECORDOPS_TD
