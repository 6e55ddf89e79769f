"""The default run as one file in Keras: python keras_script.py RAW OUT"""

import sys

import numpy as np
import tensorflow as tf

from one_file import load, write_results

raw, out = sys.argv[1:]
X, labels, X_test, labels_test = load(raw)
model = tf.keras.Sequential([tf.keras.Input((784,)), tf.keras.layers.Dense(10)])
model.compile(
    tf.keras.optimizers.SGD(0.01),
    tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(X, labels, batch_size=200, epochs=20, verbose=0).history
P = tf.nn.softmax(model.predict(X_test, verbose=0)).numpy()
W, bias = model.get_weights()
np.savez(f"{out}/weights.npz", W, bias)
write_results(out, history["loss"], history["accuracy"], W.T, X_test, labels_test, P)
