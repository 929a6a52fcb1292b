"""Sections and views, within a process and between processes."""

from __future__ import annotations

import pytest

import pagemate


def test_a_name_lives_as_long_as_its_holders(name: str) -> None:
    section = pagemate.create(name, 100)
    assert (section.name, section.was_created, section.requested_size) == (name, True, 100)
    assert section.size >= 100
    with pytest.raises(FileExistsError) as refused:
        pagemate.create(name, 100)
    assert isinstance(refused.value, pagemate.AlreadyExistsError)
    view = section.map()
    section.close()
    with pagemate.open(name) as other:
        assert not other.was_created
    view.close()
    with pytest.raises(FileNotFoundError, match="no process holds it") as missing:
        pagemate.open(name)
    assert isinstance(missing.value, pagemate.NotFoundError)


def test_views_of_one_section_show_the_same_bytes(name: str) -> None:
    with pagemate.create(name, 8192) as section, section.map() as view:
        part = pagemate.open(name).map(4090, 20)
        view[4090:4095] = b"hello"
        assert part[:5] == b"hello"
        part[-1] = 255
        assert view[4109] == 255
        assert bytes(memoryview(part)[:5]) == b"hello"


def test_memory_stays_while_a_buffer_exists_after_close(name: str) -> None:
    view = pagemate.create(name, 4096).map()
    memory = memoryview(view)
    view.close()
    del view
    memory[:2] = b"ok"
    with pagemate.open(name) as section:
        assert section.map()[:2] == b"ok"
    memory.release()
    del memory
    with pytest.raises(pagemate.NotFoundError):
        pagemate.open(name)


def test_a_killed_process_leaves_nothing(name: str, run) -> None:  # type: ignore[no-untyped-def]
    code = "import pagemate, sys; s = pagemate.create(sys.argv[1], 4096); print('ready', flush=True); input()"
    process = run(code, name)
    assert process.stdout.readline() == "ready\n"
    pagemate.open(name).close()
    process.kill()
    process.wait()
    with pytest.raises(pagemate.NotFoundError):
        pagemate.open(name)
