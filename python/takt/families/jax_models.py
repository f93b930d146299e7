"""Networks of Flax, as jax2onnx writes them."""

PACKAGES = ["jax2onnx==0.17.1", "flax==0.12.8", "jax==0.10.2"]
VERIFIES = True


def perceptron(nnx, rngs):
    a, b, c = nnx.Linear(16, 32, rngs=rngs), nnx.LayerNorm(32, rngs=rngs), nnx.Linear(
        32, 10, rngs=rngs)
    return (2, 16), lambda x: c(nnx.gelu(b(a(x))))


def convolutions(nnx, rngs):
    a = nnx.Conv(3, 8, (3, 3), rngs=rngs)
    n = nnx.BatchNorm(8, use_running_average=True, rngs=rngs)
    b = nnx.Conv(8, 16, (3, 3), strides=2, rngs=rngs)
    c = nnx.Linear(16 * 4 * 4, 10, rngs=rngs)

    def forward(x):
        x = nnx.max_pool(nnx.relu(n(a(x))), window_shape=(2, 2), strides=(2, 2))
        x = nnx.avg_pool(nnx.swish(b(x)), window_shape=(2, 2), strides=(1, 1),
                         padding="SAME")
        return c(x.reshape(x.shape[0], -1))
    return (2, 16, 16, 3), forward


def attention(nnx, rngs):
    e, n = nnx.Linear(12, 32, rngs=rngs), nnx.LayerNorm(32, rngs=rngs)
    a = nnx.MultiHeadAttention(4, 32, decode=False, rngs=rngs)
    r, o = nnx.RMSNorm(32, rngs=rngs), nnx.Linear(32, 10, rngs=rngs)

    def forward(x):
        x = e(x)
        x = x + a(n(x))
        return o(r(x).mean(axis=1))
    return (2, 9, 12), forward


def formulas(nnx, rngs):
    import jax.numpy as jnp
    a = nnx.ConvTranspose(4, 6, (3, 3), strides=2, rngs=rngs)
    g = nnx.GroupNorm(6, num_groups=2, rngs=rngs)
    o = nnx.Linear(6, 10, rngs=rngs)

    def forward(x):
        x = g(a(x))
        x = nnx.softplus(x) * nnx.sigmoid(x) + jnp.abs(x) ** 1.5
        x = jnp.where(x > 0.5, x, nnx.elu(x))
        x = jnp.einsum("bhwc,bhwd->bcd", x, x) / 10
        x = nnx.log_softmax(x, axis=-1)
        return o(x.max(axis=1) + jnp.cumsum(x, axis=1).min(axis=1))
    return (2, 5, 5, 4), forward


def exporter(make):
    def export(path):
        import jax.numpy as jnp
        import numpy
        import onnx
        from flax import nnx
        from jax2onnx import to_onnx
        shape, forward = make(nnx, nnx.Rngs(0))
        model = to_onnx(forward, [shape])
        onnx.save(model, path)
        x = numpy.random.default_rng(0).standard_normal(shape).astype("f4")
        return ({model.graph.input[0].name: x},
                numpy.asarray(forward(jnp.asarray(x))))
    return export


def models():
    for make in (perceptron, convolutions, attention, formulas):
        yield make.__name__, exporter(make)
