//===- takt-translate.cpp - between files and IR --------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Import/ImportOnnx.h"

int main(int argc, char **argv) {
  takt::registerImportOnnxTranslation();
  takt::stream::registerStreamTranslations();
  return mlir::failed(mlir::mlirTranslateMain(
      argc, argv, "takt-translate: ONNX, IR and program containers\n"));
}
