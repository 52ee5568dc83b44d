"""Ray actors on the machines of a cluster, which are all this one."""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import chat, opened
from test_replicas import is_gone, wait_for

import glotmill
from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators import ray as ray_engine
from glotmill.generators.ray import ray
from glotmill.messages import Reply

# Ray's own: files and sockets that it leaves open.
pytestmark = pytest.mark.filterwarnings("ignore")

WINDOW = 8
RECIPE = """
about: Sayings.
languages: [eng_Latn]
seeds: seeds.jsonl
steps: [{generate: saying, max_tokens: 8}]
output: {messages: {user: word, assistant: saying}}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines, each with one CPU."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    cluster.add_node(**node)
    patch.setenv("RAY_ADDRESS", cluster.address)
    yield cluster
    cluster.shutdown()
    patch.undo()


def actors(engine: str = "other_engine:engine", **arguments: Any) -> Any:
    return opened(ray("m", engine=engine, **arguments))


@pytest.mark.usefixtures("cluster")
def test_each_machine_has_an_actor_and_errors_cross() -> None:
    with actors() as ask:
        wait_for(lambda: len({reply.detail for reply in ask(*[chat("a")] * 8)}) == 2)
        pids = {int(reply.detail) for reply in ask(*[chat("a")] * 8)}
        failed, broken = ask(chat("fail"), chat("break"))
        assert isinstance(failed, RequestFailed)
        assert failed.reason == "no_idea"
        assert isinstance(broken, EngineError)
        assert "nothing to divide by" in str(broken)
    wait_for(lambda: all(is_gone(pid) for pid in pids))


@pytest.mark.usefixtures("cluster")
def test_what_cannot_be_opened() -> None:
    with pytest.raises(UsageError, match="no such option"), actors(opening="usage"):
        pass
    with (
        pytest.raises(UsageError, match="engine other_engine:engine: no option 'opning'"),
        actors(opning="x"),
    ):
        pass
    with pytest.raises(UsageError, match="name the engine of each actor"), actors("ray"):
        pass
    with pytest.raises(UsageError, match="replicas=0: at least 1"), actors(replicas=0):
        pass
    nowhere = actors(address="127.0.0.1:9")
    with pytest.raises(EngineError, match=r"no cluster at 127\.0\.0\.1:9: ConnectionRefused"), nowhere:
        pass


@pytest.mark.usefixtures("cluster")
def test_modules_of_the_working_folder_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "this.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    with actors(replicas=1, opening="import this") as ask:
        assert isinstance(ask(chat("a"))[0], Reply)


@pytest.mark.usefixtures("cluster")
def test_an_actor_that_dies_is_started_again() -> None:
    with actors(replicas=1) as ask:
        (before,) = ask(chat("a"))
        lost = ask(chat("die"), chat("wait"))
        assert {(error.reason, error.transient) for error in lost} == {("engine_died", True)}
        assert "its actor is gone: its worker process has died" in lost[0].detail
        (after,) = ask(chat("a"))
        assert before.detail != after.detail


@pytest.mark.usefixtures("cluster")
def test_a_run_survives_the_death_of_an_actor(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No row is lost, and no request that had its reply is asked again."""
    recipe, log = tmp_path / "sayings", tmp_path / "log"
    recipe.mkdir()
    (recipe / "recipe.yaml").write_text(RECIPE)
    (recipe / "saying.j2").write_text("Say {{ word }}.")
    (recipe / "seeds.jsonl").write_text("".join(f'{{"word": "word {n}"}}\n' for n in range(100)))
    killed: list[int] = []

    def watch(progress: Any) -> None:
        """Kill the actor that was asked first, once there are replies and it still works."""
        journals = list(progress.run.folder.glob("replies/*.jsonl"))
        if not killed and any(path.stat().st_size for path in journals):
            killed.append(int(log.read_text().split()[0]))
            os.kill(killed[0], signal.SIGKILL)

    run = glotmill.run(
        recipe,
        engine="ray",
        model="m",
        engine_args={"engine": "other_engine:engine", "log": str(log), "pause_s": 0.2},
        per_language=100,
        window=WINDOW,
        folder=tmp_path / "run",
        watch=watch,
    )
    assert killed
    assert not capfd.readouterr().out
    assert run.frame().height == 100
    asked = [line.split()[:2] for line in log.read_text().splitlines() if "Say" in line]
    assert {pid for pid, _ in asked} > {str(killed[0])}
    again = {key for key, times in Counter(key for _, key in asked).items() if times > 1}
    assert len(again) <= WINDOW, "only what was in flight"
    assert again <= {key for pid, key in asked if int(pid) == killed[0]}
    journals = run.folder.glob("replies/*.jsonl")
    keys = [json.loads(line)["key"] for path in journals for line in path.read_text().splitlines()]
    assert sorted(keys) == sorted({key for _, key in asked})


def test_machines_that_join_get_actors(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "_POLL_S", 0.2)
    with actors() as ask:
        wait_for(lambda: len({reply.detail for reply in ask(*[chat("a")] * 9)}) == 2)
        node = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        wait_for(lambda: len({reply.detail for reply in ask(*[chat("a")] * 9)}) == 3)
        cluster.remove_node(node, allow_graceful=False)
        wait_for(lambda: all(isinstance(reply, Reply) for reply in ask(*[chat("a")] * 9)))


@pytest.mark.parametrize(
    ("nodes", "gpus", "expected"),
    [
        ([{"CPU": 8}, {"CPU": 1}, {"CPU": 0}, {}], 0, 2),
        ([{"CPU": 8, "GPU": 8}, {"CPU": 8, "GPU": 3}, {"CPU": 8}], 1, 11),
        ([{"CPU": 8, "GPU": 8}, {"CPU": 8, "GPU": 3}, {"CPU": 8}], 2, 5),
        ([{"CPU": 8, "GPU": 2}], 4, 0),
    ],
)
def test_places(nodes: list[dict[str, float]], gpus: int, expected: int) -> None:
    assert ray_engine._places(nodes, gpus) == expected


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(EngineError, match=r"pip install 'glotmill\[ray\]'"), actors():
        pass
