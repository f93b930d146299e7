"""Keras's applications and layers, as tf2onnx writes them."""

import os

PACKAGES = ["tensorflow-cpu==2.21.0", "tf2onnx==1.17.0"]
VERIFIES = True
OPSET = 17


def applications():
    from keras import applications as a

    def network(make, size=64):
        return lambda: make(weights=None, input_shape=(size, size, 3), classes=10,
                            classifier_activation=None)
    # ConvNeXt is left out: tf2onnx leaves a call in it that is no operator.
    return {make.__name__: network(make, size) for make, size in [
        (a.MobileNet, 64), (a.MobileNetV2, 64), (a.MobileNetV3Small, 64),
        (a.ResNet50, 64), (a.ResNet50V2, 64), (a.DenseNet121, 64), (a.Xception, 96),
        (a.InceptionV3, 96), (a.InceptionResNetV2, 96), (a.EfficientNetB0, 64),
        (a.EfficientNetV2B0, 64), (a.NASNetMobile, 64), (a.VGG16, 64)]}


def attention():
    import keras
    from keras import layers as L
    x = y = keras.Input((12, 32))
    y = L.LayerNormalization()(L.MultiHeadAttention(4, 8)(y, y) + y)
    z = L.Dense(64, activation=lambda t: keras.activations.gelu(t, approximate=True))(y)
    y = L.LayerNormalization()(y + L.Dense(32)(z))
    return keras.Model(x, L.Dense(10)(L.GlobalAveragePooling1D()(y)))


def causal():
    import keras
    from keras import layers as L
    x = keras.Input((12,), dtype="int32")
    y = L.Embedding(50, 32)(x)
    y = L.LayerNormalization()(
        y + L.MultiHeadAttention(4, 8)(y, y, use_causal_mask=True))
    return keras.Model(x, L.Dense(50)(y))


def unet():
    import keras
    from keras import layers as L
    x = keras.Input((32, 32, 3))
    a = L.Conv2D(8, 3, padding="same", activation="relu")(x)
    b = L.Conv2D(16, 3, padding="same", activation="relu")(L.MaxPool2D()(a))
    c = L.Concatenate()([a, L.Conv2DTranspose(8, 3, strides=2, padding="same")(b)])
    c = L.Conv2D(4, 1)(L.AveragePooling2D(2)(L.UpSampling2D()(c)))
    return keras.Model(x, L.GlobalMaxPooling2D()(c))


def stacks():
    """Shape and type of the input, layers."""
    from keras import layers as L
    image, steps = ((16, 16, 3), "float32"), ((9, 8), "float32")
    return {
        "lstm": (steps, L.LSTM(16, return_sequences=True), L.LSTM(12), L.Dense(10)),
        "bidirectional": (steps,
                          L.Bidirectional(L.LSTM(16, return_sequences=True)),
                          L.Bidirectional(L.LSTM(12)), L.Dense(10)),
        "gru": (steps, L.GRU(16, return_sequences=True), L.GRU(12), L.Dense(10)),
        "gru-before": (steps, L.GRU(16, reset_after=False), L.Dense(10)),
        "rnn": (steps, L.SimpleRNN(16), L.Dense(10)),
        "embedding": (((12,), "int32"), L.Embedding(50, 16), L.LSTM(16), L.Dense(10)),
        "convlstm": (((5, 8, 8, 3), "float32"), L.ConvLSTM2D(4, 3), L.Flatten(),
                     L.Dense(10)),
        "conv1d": (((32, 8), "float32"),
                   L.Conv1D(16, 5, strides=2, padding="same", activation="elu"),
                   L.BatchNormalization(),
                   L.Conv1D(16, 3, dilation_rate=2, padding="causal"), L.LeakyReLU(),
                   L.GlobalMaxPooling1D(), L.Dense(10)),
        "conv3d": (((8, 16, 16, 2), "float32"), L.Conv3D(8, 3, padding="same"),
                   L.ReLU(6.0), L.MaxPool3D(), L.Conv3D(4, 3, strides=2), L.Flatten(),
                   L.Dense(10)),
        "separable": (image, L.SeparableConv2D(8, 3, padding="same"), L.PReLU(),
                      L.DepthwiseConv2D(3, strides=2, depth_multiplier=2),
                      L.GroupNormalization(4), L.Activation("swish"), L.Flatten(),
                      L.Dense(10)),
        "movement": (image, L.ZeroPadding2D(((1, 2), (3, 0))),
                     L.Cropping2D(((1, 0), (0, 2))), L.Permute((3, 1, 2)),
                     L.UnitNormalization(), L.Activation("mish"),
                     L.Activation("softsign"), L.Reshape((3, -1)),
                     L.Dense(8, activation="tanh"), L.Flatten(),
                     L.Dense(10, activation="softmax")),
        "resize": (image, L.UpSampling2D(3, interpolation="bilinear"),
                   L.Resizing(20, 24), L.Conv2D(4, 5, strides=3, padding="same"),
                   L.Activation("hard_sigmoid"),
                   L.GlobalAveragePooling2D(keepdims=True), L.Flatten(), L.Dense(10)),
    }


def stacked(described):
    import keras
    (shape, dtype), *layers = described
    x = y = keras.Input(shape, dtype=dtype)
    for layer in layers:
        y = layer(y)
    return keras.Model(x, y)


def exporter(make):
    def export(path):
        import keras
        import numpy
        import tensorflow as tf
        import tf2onnx
        keras.utils.set_random_seed(1)
        model = make()
        tensor = model.inputs[0]
        signature = [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name="x")]
        function = tf.function(lambda x: model(x, training=False),
                               input_signature=signature)
        tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET,
                                      output_path=path)
        generator = numpy.random.default_rng(3)
        shape = (2, *tensor.shape[1:])
        x = (generator.integers(0, 50, shape).astype("i4") if tensor.dtype == "int32"
             else generator.standard_normal(shape).astype("f4"))
        return {"x": x}, model(x, training=False).numpy()
    return export


def models():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    makers = {**applications(), "attention": attention, "causal": causal, "unet": unet}
    for name, described in stacks().items():
        makers[name] = lambda described=described: stacked(described)
    for name, make in makers.items():
        yield name, exporter(make)
