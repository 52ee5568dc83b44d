"""Real vLLM in two processes, without a GPU, on the model that ships."""

from pathlib import Path

from asking import chat, opened

from glotmill.errors import RequestFailed
from glotmill.generators.vllm import vllm
from glotmill.messages import Reply


def test_two_processes_reply_as_one_vllm(nano: Path) -> None:
    requests = [chat(f"Say {number}.", seed=number, temperature=1.0, max_tokens=4) for number in range(4)]
    with opened(vllm(str(nano), replicas=2, max_num_seqs=2, max_model_len=128)) as ask:
        replies = ask(*requests, *requests)
        assert all(isinstance(reply, Reply) for reply in replies)
        assert replies[:4] == replies[4:]
        (failure,) = ask(chat("very " * 200))
        assert isinstance(failure, RequestFailed)
        assert failure.reason == "prompt_too_long"
