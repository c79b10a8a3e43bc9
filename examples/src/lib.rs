//! Real tasks done with the library; each example is a program of its own under `examples/`.
