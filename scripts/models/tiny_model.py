# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The embedded model in JAX: a decoder of the Llama family, its loss and its AdamW step.

Weights are a dictionary from Hugging Face names to fp32 arrays; linear weights are [out, in].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Weights = dict[str, Any]


@dataclass(frozen=True)
class TinyConfig:
    """Sizes of the embedded model; every width is a multiple of 128."""

    vocab_size: int = 2048
    hidden_size: int = 256
    num_layers: int = 3
    num_heads: int = 4
    num_kv_heads: int = 2
    head_dim: int = 64
    intermediate_size: int = 768
    context_length: int = 512
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5


def initial_weights(config: TinyConfig, seed: int) -> Weights:
    """Draws normal weights of deviation 0.02, the ones that write the residual scaled by depth."""
    rng = np.random.default_rng(seed)
    residual = 0.02 / np.sqrt(2 * config.num_layers)

    def normal(rows: int, columns: int, deviation: float = 0.02) -> np.ndarray:
        return rng.normal(0.0, deviation, (rows, columns)).astype(np.float32)

    hidden, ffn = config.hidden_size, config.intermediate_size
    q_width = config.num_heads * config.head_dim
    kv_width = config.num_kv_heads * config.head_dim
    weights: Weights = {"model.embed_tokens.weight": normal(config.vocab_size, hidden)}
    for index in range(config.num_layers):
        prefix = f"model.layers.{index}."
        weights[prefix + "input_layernorm.weight"] = np.ones(hidden, np.float32)
        weights[prefix + "self_attn.q_proj.weight"] = normal(q_width, hidden)
        weights[prefix + "self_attn.k_proj.weight"] = normal(kv_width, hidden)
        weights[prefix + "self_attn.v_proj.weight"] = normal(kv_width, hidden)
        weights[prefix + "self_attn.o_proj.weight"] = normal(hidden, q_width, residual)
        weights[prefix + "post_attention_layernorm.weight"] = np.ones(hidden, np.float32)
        weights[prefix + "mlp.gate_proj.weight"] = normal(ffn, hidden)
        weights[prefix + "mlp.up_proj.weight"] = normal(ffn, hidden)
        weights[prefix + "mlp.down_proj.weight"] = normal(hidden, ffn, residual)
    weights["model.norm.weight"] = np.ones(hidden, np.float32)
    return weights


def rms_norm(x: jax.Array, gain: jax.Array, eps: float) -> jax.Array:
    """Divides each row by its root mean square and scales by `gain`."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + eps) * gain


def rotate(x: jax.Array, cos: jax.Array, sin: jax.Array) -> jax.Array:
    """Rotates [batch, position, head, dim] by position, halves as pairs."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def logits(weights: Weights, tokens: jax.Array, config: TinyConfig) -> jax.Array:
    """Returns [batch, position, vocabulary] logits of [batch, position] tokens."""
    batch, length = tokens.shape
    frequencies = config.rope_theta ** (-jnp.arange(0, config.head_dim, 2) / config.head_dim)
    angles = jnp.arange(length)[:, None] * frequencies[None, :]
    cos, sin = jnp.cos(angles)[:, None, :], jnp.sin(angles)[:, None, :]
    causal = jnp.tril(jnp.ones((length, length), bool))
    groups = config.num_heads // config.num_kv_heads

    x = weights["model.embed_tokens.weight"][tokens]
    for index in range(config.num_layers):
        prefix = f"model.layers.{index}."

        def linear(value: jax.Array, name: str, prefix: str = prefix) -> jax.Array:
            return value @ weights[prefix + name + ".weight"].T

        normed = rms_norm(x, weights[prefix + "input_layernorm.weight"], config.rms_norm_eps)
        q = linear(normed, "self_attn.q_proj").reshape(batch, length, -1, config.head_dim)
        k = linear(normed, "self_attn.k_proj").reshape(batch, length, -1, config.head_dim)
        v = linear(normed, "self_attn.v_proj").reshape(batch, length, -1, config.head_dim)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        q = q.reshape(batch, length, config.num_kv_heads, groups, config.head_dim)
        scores = jnp.einsum("bqkgd,bpkd->bkgqp", q, k) / np.sqrt(config.head_dim)
        weights_of_rows = jax.nn.softmax(jnp.where(causal, scores, -1e30), axis=-1)
        mixed = jnp.einsum("bkgqp,bpkd->bqkgd", weights_of_rows, v).reshape(batch, length, -1)
        x = x + linear(mixed, "self_attn.o_proj")

        gain = weights[prefix + "post_attention_layernorm.weight"]
        normed = rms_norm(x, gain, config.rms_norm_eps)
        gate = jax.nn.silu(linear(normed, "mlp.gate_proj"))
        x = x + linear(gate * linear(normed, "mlp.up_proj"), "mlp.down_proj")
    x = rms_norm(x, weights["model.norm.weight"], config.rms_norm_eps)
    return x @ weights["model.embed_tokens.weight"].T


def mean_nll(weights: Weights, tokens: jax.Array, config: TinyConfig) -> jax.Array:
    """Mean negative log likelihood in nats of all but the first token of each row."""
    values = logits(weights, tokens[:, :-1], config)
    chosen = jnp.take_along_axis(values, tokens[:, 1:, None], axis=-1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(values, axis=-1) - chosen)


@dataclass(frozen=True)
class Schedule:
    """Learning rate: linear warm-up, then linear decay to zero."""

    peak: float
    warmup: int
    steps: int

    def __call__(self, step: jax.Array) -> jax.Array:
        rise = (step + 1) / self.warmup
        fall = (self.steps - step) / (self.steps - self.warmup)
        return self.peak * jnp.minimum(rise, fall)


def make_step(config: TinyConfig, schedule: Schedule, decay: float = 0.1) -> Any:
    """Returns a compiled AdamW step: (weights, moments, tokens, step) → the same and the loss."""
    beta1, beta2, eps = 0.9, 0.95, 1e-8

    def step(weights: Weights, moments: Any, tokens: jax.Array, index: jax.Array) -> Any:
        loss, grads = jax.value_and_grad(mean_nll)(weights, tokens, config)
        norm = jnp.sqrt(sum(jnp.sum(grad * grad) for grad in grads.values()))
        clip = jnp.minimum(1.0, 1.0 / (norm + 1e-6))
        rate = schedule(index)
        new_weights, new_moments = {}, {}
        for name, weight in weights.items():
            grad = grads[name] * clip
            first, second = moments[name]
            first = beta1 * first + (1 - beta1) * grad
            second = beta2 * second + (1 - beta2) * grad * grad
            unbiased = first / (1 - beta1 ** (index + 1))
            scale = jnp.sqrt(second / (1 - beta2 ** (index + 1))) + eps
            shrink = decay if weight.ndim == 2 else 0.0
            new_weights[name] = weight - rate * (unbiased / scale + shrink * weight)
            new_moments[name] = (first, second)
        return new_weights, new_moments, loss

    return jax.jit(step, donate_argnums=(0, 1))
