"""The store: nothing written is lost, nothing half-written is believed, one writer at a time."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.training.store import Store, read_store


def filled(path: Path, count: int = 3) -> Path:
    with Store(path) as store:
        for number in range(count):
            store.put(f"k{number}", "call", {"text": f"ü {number}", "odd": "\ud800"})
    return path


def test_what_was_put_is_there_in_the_next_run(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "new" / "store.jsonl")) as store:
        assert len(store) == 3
        assert "k1" in store
        assert store.get("k1") == {"text": "ü 1", "odd": "\ud800"}
        assert store.get("k9") is None
        assert [record.key for record in store] == ["k0", "k1", "k2"]
        assert store.damaged == 0


def test_every_line_is_json(tmp_path: Path) -> None:
    lines = filled(tmp_path / "store.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["k0", "k1", "k2"]


def test_a_key_is_kept_once(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.jsonl")
    size = path.stat().st_size
    with Store(path) as store:
        store.put("k1", "call", {"text": "again"})
        assert store.get("k1") == {"text": "ü 1", "odd": "\ud800"}
    assert path.stat().st_size == size


def test_a_last_line_cut_anywhere_goes_and_its_neighbours_stay(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole.jsonl").read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    path = tmp_path / "store.jsonl"
    for cut in range(last + 1, len(whole)):
        path.write_bytes(whole[:cut])
        with Store(path) as store:
            assert len(store) == 2
            assert store.damaged == 1
            store.put("k2", "call", {"text": "ü 2", "odd": "\ud800"})
        assert path.read_bytes() == whole


def test_a_store_that_is_one_torn_line_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    path.write_bytes(b'{"ke')
    with Store(path) as store:
        assert len(store) == 0
    assert path.read_bytes() == b""


def test_a_line_that_the_disk_has_changed_is_not_believed(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.jsonl")
    path.write_bytes(path.read_bytes().replace(b"00fc 1", b"00fc 7"))
    with Store(path) as store:
        assert store.damaged == 1
        assert "k1" not in store
        store.put("k1", "call", {"text": "made again"})
    assert read_store(path)["k1"].payload == {"text": "made again"}
    assert len(read_store(path)) == 3


def test_a_file_of_something_else_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": 1}\n')
    with pytest.raises(UserError, match="line 1"):
        Store(path)
    assert path.read_text() == '{"id": 1}\n'


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.jsonl")
    with Store(path), pytest.raises(UserError, match="another run"):
        Store(path)
    Store(path).close()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="give another --out"):
        Store(tmp_path / "file" / "store.jsonl")


_FILLING = """
import resource, sys
from pathlib import Path
from ctrl_harness.errors import UserError
from ctrl_harness.training.store import Store
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with Store(Path(sys.argv[1])) as store:
    for number in range(1000):
        try:
            store.put(f"k{number}", "call", {"text": "x" * 100})
        except UserError as error:
            print(number, error)
            break
    print(len(store), store.get("k0")["text"][:1])
"""


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    # a file that may not grow fails in mid-line as a full disk does
    limit = 10_000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] in (-1, resource.RLIM_INFINITY)
    done = subprocess.run(
        [sys.executable, "-c", _FILLING, str(path), str(limit)],
        capture_output=True, text=True, check=True, env=dict(os.environ),
    )  # fmt: skip
    trouble, kept = done.stdout.strip().splitlines()
    number, _, sentence = trouble.partition(" ")
    assert "what was made so far is kept" in sentence
    assert kept == f"{number} x"
    with Store(path) as store:
        assert len(store) == int(number)
        assert store.damaged == 0
        store.put("later", "call", {})
    assert len(read_store(path)) == int(number) + 1
