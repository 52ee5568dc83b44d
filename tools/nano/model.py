"""The network of glotmill-nano: a small Llama written out, for training with prompts that begin alike.

The prompts of one task in one language share their beginning. It is computed once, and all chats of the batch
attend to it; Hugging Face's own model would compute it again for each. `save` writes Hugging Face's form.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LAYER = (  # Hugging Face's names of a layer's weights
    *(f"self_attn.{one}_proj" for one in "qkvo"),
    *(f"mlp.{one}_proj" for one in ("gate", "up", "down")),
    "input_layernorm",
    "post_attention_layernorm",
)


@dataclass(frozen=True)
class Shape:
    """The sizes of the network."""

    vocabulary: int
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 640
    context: int = 1024


@dataclass(frozen=True)
class Batch:
    """Chats of one task and language."""

    shared: Tensor  # (P,) token ids that all begin with
    rest: Tensor  # (N, L) what follows, padded to the right
    picks: Tensor  # places in the flattened rest whose next token is the reply's
    targets: Tensor  # these next tokens


class Nano(nn.Module):
    """Weights, with query, key and value in one matrix, and gate and up in another."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        size, inner, layers = shape.hidden, shape.inner, shape.layers
        self.embed = nn.Parameter(torch.randn(shape.vocabulary, size) * 0.04)
        self.qkv = _matrices(layers, 3 * size, size)
        self.out = _matrices(layers, size, size, small=True)
        self.gate_up = _matrices(layers, 2 * inner, size)
        self.down = _matrices(layers, size, inner, small=True)
        self.norms = nn.Parameter(torch.ones(2 * layers + 1, size))
        width = size // shape.heads
        turns = 1.0 / 10000 ** (torch.arange(0, width, 2) / width)
        angles = torch.outer(torch.arange(shape.context).float(), turns).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, batch: Batch, dtype: torch.dtype) -> Tensor:
        """Mean loss over the tokens of the replies."""
        hidden = self.hidden(batch.shared, batch.rest, dtype).index_select(0, batch.picks)
        return _TokenLoss.apply(hidden, self.embed.to(dtype), batch.targets)

    def hidden(self, shared: Tensor, rest: Tensor, dtype: torch.dtype) -> Tensor:
        """What the last layer makes of the rests, flattened.

        shared: (P,) token ids that all chats begin with. rest: (N, L) what follows, padded to the right.
        """
        begin, (count, length) = len(shared), rest.shape
        positions = torch.cat([torch.arange(begin), (begin + torch.arange(length)).repeat(count)])
        turns = self.cos[positions, None].to(dtype), self.sin[positions, None].to(dtype)
        x = F.embedding(torch.cat([shared, rest.flatten()]), self.embed.to(dtype))
        for n in range(self.shape.layers):
            y = self._norm(x, 2 * n) @ self.qkv[n].to(dtype).T
            x = x + self._attend(y, (begin, count, length), turns) @ self.out[n].to(dtype).T
            gate, up = (self._norm(x, 2 * n + 1) @ self.gate_up[n].to(dtype).T).chunk(2, dim=1)
            x = x + (F.silu(gate) * up) @ self.down[n].to(dtype).T
        return self._norm(x[begin:], 2 * self.shape.layers)

    def _norm(self, x: Tensor, n: int) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.norms[n].to(x.dtype), 1e-5)

    def _attend(self, y: Tensor, sizes: tuple[int, int, int], turns: tuple[Tensor, Tensor]) -> Tensor:
        """Attention of the shared beginning to itself, and of each rest to the beginning and to itself."""
        begin, count, length = sizes
        heads, width = self.shape.heads, self.shape.hidden // self.shape.heads
        q, k, v = y.view(-1, 3, heads, width).unbind(1)  # each (begin + count * length, heads, width)
        q, k = _turn(q, *turns), _turn(k, *turns)
        first = [part[:begin].transpose(0, 1) for part in (q, k, v)]
        rest = [part[begin:].view(count, length, heads, width).transpose(1, 2) for part in (q, k, v)]
        key, value = (torch.cat([first[n].expand(count, -1, -1, -1), rest[n]], dim=2) for n in (1, 2))
        a = _attention(*first).transpose(0, 1).reshape(begin, -1)
        b = _attention(rest[0].flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1))
        b = b.view(count, heads, length, width).transpose(1, 2).reshape(count * length, -1)
        return torch.cat([a, b])

    def hf_state(self) -> dict[str, Tensor]:
        """The weights under Hugging Face's names."""
        state = {"model.embed_tokens.weight": self.embed, "model.norm.weight": self.norms[-1]}
        for n in range(self.shape.layers):
            q, k, v = self.qkv[n].chunk(3)
            gate, up = self.gate_up[n].chunk(2)
            parts = (q, k, v, self.out[n], gate, up, self.down[n], *self.norms[2 * n : 2 * n + 2])
            names = (f"model.layers.{n}.{name}.weight" for name in LAYER)
            state |= dict(zip(names, parts, strict=True))
        return {name: part.detach().float().contiguous().clone() for name, part in state.items()}

    @torch.no_grad()
    def load_hf(self, state: dict[str, Tensor]) -> None:
        """Take over weights under Hugging Face's names."""
        self.embed.copy_(state["model.embed_tokens.weight"])
        self.norms[-1].copy_(state["model.norm.weight"])
        for n in range(self.shape.layers):
            part = {name: state[f"model.layers.{n}.{name}.weight"] for name in LAYER}
            self.qkv[n].copy_(torch.cat([part[f"self_attn.{one}_proj"] for one in "qkv"]))
            self.out[n].copy_(part["self_attn.o_proj"])
            self.gate_up[n].copy_(torch.cat([part["mlp.gate_proj"], part["mlp.up_proj"]]))
            self.down[n].copy_(part["mlp.down_proj"])
            self.norms[2 * n].copy_(part["input_layernorm"])
            self.norms[2 * n + 1].copy_(part["post_attention_layernorm"])


def save(model: Nano, tokenizer: object, folder: Path, dtype: torch.dtype = torch.bfloat16) -> None:
    """Write model and tokenizer as transformers and vLLM read them."""
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    shape = model.shape
    end, pad = tokenizer.convert_tokens_to_ids(["<|end|>", "<|pad|>"])
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    saved = LlamaForCausalLM(config)
    missing = saved.load_state_dict(model.hf_state(), strict=False)
    assert missing.unexpected_keys == [], missing
    assert missing.missing_keys == ["lm_head.weight"], missing  # the embedding, once more
    saved.tie_weights()
    # No top_p: the tail of the distribution is where this model's mistakes come from, and they are wanted.
    saved.generation_config = GenerationConfig(
        do_sample=True, temperature=0.8, eos_token_id=end, pad_token_id=pad
    )
    folder.mkdir(parents=True, exist_ok=True)
    saved.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _matrices(count: int, rows: int, columns: int, small: bool = False) -> nn.ParameterList:
    scale = columns**-0.5 * (0.35 if small else 1.0)
    return nn.ParameterList(torch.randn(rows, columns) * scale for _ in range(count))


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention of the last places to all; each (batch, places, width).

    On a CPU in bfloat16 this takes half the time of scaled_dot_product_attention with its gradients.
    """
    length, whole = q.shape[1], k.shape[1]
    later = torch.ones(length, whole, dtype=torch.bool).triu(whole - length + 1)
    mask = torch.zeros(length, whole, dtype=q.dtype).masked_fill(later, -30000.0)
    scores = torch.baddbmm(mask.expand(len(q), -1, -1), q, k.transpose(1, 2), alpha=q.shape[2] ** -0.5)
    return torch.bmm(scores.softmax(-1), v)


class _TokenLoss(torch.autograd.Function):
    """Cross entropy over the vocabulary, with its gradients made on the way forward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, embed: Tensor, targets: Tensor) -> Tensor:
        share = (x @ embed.T).float().softmax(-1)
        right = (torch.arange(len(targets)), targets)
        loss = -share[right].clamp_min(1e-30).log().mean()
        share[right] -= 1.0
        share = (share / len(targets)).to(x.dtype)
        ctx.save_for_backward(share @ embed, share.T @ x)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        to_x, to_embed = ctx.saved_tensors
        return gradients[0] * to_x, gradients[0] * to_embed, None


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions."""
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-right, left], dim=-1) * sin
