"""sentence-transformers in this process: vectors of texts, scores of pairs and of chats. Writes nothing."""

import os
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, RequestFailed, UsageError, typed_line
from glotmill.generators._shared.loading import model_path, not_installed
from glotmill.generators._shared.model_thread import ModelThread, Pending, model_thread
from glotmill.io.surrogates import replace_surrogates
from glotmill.messages import EMBED, SCORE, Engine, Reply, Request

_PAIR = ("user", "user")  # roles of the messages of a pair; anything else is a chat


@asynccontextmanager
async def sentence_transformers(
    model: str,
    *,
    revision: str | None = None,
    batch_size: int = 32,
    device: str | None = None,
    prompt: str = "",
    normalize: bool = True,
    trust_remote_code: bool = False,
) -> AsyncIterator[Engine]:
    """Answer `embed` steps with `SentenceTransformer`, and `score` steps with a model of one label.

    A pair of texts is scored as `CrossEncoder.predict` does, with the model's own activation. A chat is
    scored by a reward model: its one logit, with the model's chat template. Apart from rounding, vectors and
    scores do not depend on the batch.

    batch_size: texts computed together. device: `cpu`, `cuda`, ...; by default what torch finds.
    prompt: put before each text that is embedded, such as `query: `. normalize: vectors of length 1.

    Raises:
        UsageError: a batch_size below 1.
        EngineError: the package is missing, the model cannot be loaded or has more than one label, or a step
            other than `embed` and `score` asks.
        RequestFailed: `engine_refused`, where the model cannot compute a text.
    """
    if batch_size < 1:
        raise UsageError(f"engine sentence_transformers: batch_size={batch_size}: at least 1")
    loading = {"revision": revision, "device": device, "trust_remote_code": trust_remote_code}
    models = _Models(model, {name: value for name, value in loading.items() if value})
    models.prompt, models.normalize, models.batch_size = prompt, normalize, batch_size

    async def generate(request: Request) -> Reply:
        if request.task not in (EMBED, SCORE):
            raise EngineError(
                f"engine sentence_transformers: {model} makes vectors and scores and cannot write; name "
                "another model for this step"
            )
        values = await thread.submit(lambda asked: asked, request)
        return Reply("", values=values)

    async with model_thread("sentence_transformers", models.serve) as thread:
        yield generate


class _Models:
    """The model as its requests need it: encoder, cross-encoder, reward model. Each is loaded once."""

    prompt: str
    normalize: bool
    batch_size: int

    def __init__(self, name: str, loading: dict[str, Any]) -> None:
        self.name, self.loading = name, loading

    def serve(self, thread: ModelThread) -> None:
        """Answer requests in batches until the engine closes."""
        try:
            self._import()
        except Exception as error:  # noqa: BLE001 otherwise lost with this thread
            thread.resolve([(thread.ready, error)])
            thread.reject_all(str(error))
            return
        thread.resolve([(thread.ready, None)])
        while not thread.closing:
            batch: list[Pending] = []
            while len(batch) < self.batch_size and (job := thread.next_pending(wait=not batch)):
                batch.append(job)
            for compute in (self._vectors, self._pair_scores, self._chat_scores):
                jobs = [job for job in batch if self._method(job.work) == compute]
                if jobs:
                    outcomes = self._outcomes(compute, [job.work for job in jobs])
                    thread.resolve(list(zip([job.future for job in jobs], outcomes, strict=True)))
        thread.reject_all("engine sentence_transformers: closed")

    def _method(self, request: Request) -> Callable[[Sequence[Request]], list[tuple[float, ...]]]:
        if request.task == EMBED:
            return self._vectors
        roles = tuple(message.role for message in request.messages)
        return self._pair_scores if roles == _PAIR else self._chat_scores

    def _outcomes(self, compute: Any, requests: Sequence[Request]) -> list[Any]:
        """Return the values of each request; if they fail together, each fails or passes on its own."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return list(compute(requests))
        except EngineError as error:
            return [error] * len(requests)
        except Exception as error:  # noqa: BLE001 one text must not cost the others theirs
            if len(requests) == 1:
                return [RequestFailed("engine_refused", typed_line(error))]
            return [self._outcomes(compute, [request])[0] for request in requests]

    def _import(self) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # cores may be shared
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                import sentence_transformers  # noqa: F401
                from transformers.utils import logging
            except ImportError as error:
                raise not_installed(
                    "sentence_transformers", "'glotmill[sentence-transformers]'", error
                ) from error
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def _load(self, load: Callable[..., Any]) -> Any:
        path = model_path(self.name)
        try:
            return load(path, local_files_only=Path(path).is_dir(), **self.loading)
        except Exception as error:
            raise EngineError(
                f"engine sentence_transformers: cannot open {self.name}: {typed_line(error)}"
            ) from error

    @cached_property
    def _encoder(self) -> Any:
        from sentence_transformers import SentenceTransformer

        return self._load(SentenceTransformer)

    @cached_property
    def _cross_encoder(self) -> Any:
        from sentence_transformers import CrossEncoder

        model = self._load(CrossEncoder)
        self._refuse_labels(model.config.num_labels)
        return model

    @cached_property
    def _reward_model(self) -> tuple[Any, Any]:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        device = self.loading.get("device")
        self.loading.pop("device", None)
        tokenizer = self._load(AutoTokenizer.from_pretrained)
        if not tokenizer.chat_template:
            raise EngineError(
                f"engine sentence_transformers: {self.name} has no chat template and cannot score a chat; "
                "score a pair with `of: [COLUMN, COLUMN]`, or name a reward model"
            )
        model = self._load(AutoModelForSequenceClassification.from_pretrained).eval()
        self._refuse_labels(model.config.num_labels)
        return tokenizer, model.to(device) if device else model

    def _refuse_labels(self, labels: int) -> None:
        if labels != 1:
            raise EngineError(
                f"engine sentence_transformers: {self.name} has {labels} labels; a score is one number, of a "
                "model with one"
            )

    def _vectors(self, requests: Sequence[Request]) -> list[tuple[float, ...]]:
        """Return the vector of each text: (texts, dimension)."""
        texts = [self.prompt + replace_surrogates(request.messages[0].content) for request in requests]
        vectors = self._encoder.encode(
            texts,
            batch_size=self.batch_size,
            normalize_embeddings=self.normalize,
            show_progress_bar=False,
        )
        return [tuple(map(float, vector)) for vector in vectors]

    def _pair_scores(self, requests: Sequence[Request]) -> list[tuple[float, ...]]:
        pairs = [[replace_surrogates(message.content) for message in r.messages] for r in requests]
        scores = self._cross_encoder.predict(pairs, batch_size=self.batch_size, show_progress_bar=False)
        return [(float(score),) for score in scores]

    def _chat_scores(self, requests: Sequence[Request]) -> list[tuple[float, ...]]:
        import torch

        tokenizer, model = self._reward_model
        scores: list[tuple[float, ...]] = []
        for request in requests:
            chat = [{"role": m.role, "content": replace_surrogates(m.content)} for m in request.messages]
            ids = tokenizer.apply_chat_template(chat, tokenize=True, return_dict=False, return_tensors="pt")
            with torch.inference_mode():
                scores.append((float(model(input_ids=ids.to(model.device)).logits[0, 0]),))
        return scores
