"""Who refuses right programs: our judge and its peers, one table.

    CTRL_HARNESS_PEERS_PYTHON=.venv-peers/bin/python python benchmarks/right_programs.py

Programs over standard input are idioms of tests/parity: right is what plain CPython makes of them
here, which is asked first. Functions are those of right_functions.py. Without the variable only our
own column is shown. Exits with 1 where our judge refuses one, or where any judge refuses the
plainest of a kind, since its column would then say nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import anyio
from judges import OURS, PEERS_PYTHON, TITLES, Request, ask_ours, ask_peer, peers_python, short
from peer_judges import KINDS, Answer, Task
from right_functions import FUNCTIONS

IDIOMS = Path(__file__).parents[1] / "tests" / "parity" / "idioms"
STDIO = """
in_input_two_numbers in_input_until_eof in_readline_replaces_input in_readline_lambda
in_readline_buffer_replaces_input in_readline_walrus in_read_all_and_split
in_read_all_strip_split_lines in_readlines in_iterate_over_stdin in_iterate_over_stdin_buffer
in_buffer_read_numbers in_open_zero in_open_zero_lines in_open_zero_in_a_with in_open_dev_stdin
in_os_read in_bytesio_of_os_read in_fast_reader_class in_fileinput in_iter_input_until_blank
in_iter_readline_until_end in_token_generator in_token_iterator_of_read
in_token_closure_over_bytes in_scanner_class in_exec_reads_variables in_eval_input in_json_load
in_csv_reader in_regex_findall in_numpy_loadtxt in_numpy_array_of_read
in_thread_with_a_large_stack in_thread_that_is_not_joined in_deep_recursion_without_a_thread
in_count_then_lines in_columns_by_zip in_grid_with_a_border in_unicode_text in_no_final_newline
in_read_some_then_the_rest in_stdin_is_opened_anew in_match_commands in_asyncio_executor
in_large_integers in_stdin_from_a_file_if_there_is_one in_reader_thread_and_queue
out_print_sep_and_end out_write_and_writelines out_join_of_a_list out_buffer_write
out_text_flush_buffer out_os_write out_fast_writer_over_iobase out_fast_reader_and_writer_pair
out_fast_writer_flushed_at_exit out_writer_with_its_own_print out_tee_class
out_writer_without_closed_or_fileno out_stringio_then_the_saved_stream
out_stringio_then_the_original_at_exit out_redirect_stdout out_open_one out_os_fdopen
out_text_wrapper_around_the_buffer out_print_is_a_partial out_print_is_the_bound_write
out_print_is_a_list_append out_pprint out_logging_to_stdout out_a_megabyte_in_small_prints
out_unicode_of_all_kinds out_numpy_arrays out_trailing_blanks
end_sys_exit_nothing end_sys_exit_zero end_exit_and_quit end_raise_system_exit
end_exit_inside_functions end_exit_in_except end_atexit_prints_what_main_collected
end_del_writes_what_was_collected end_generator_finally end_thread_outlives_main end_thread_pool
end_thread_workers_and_a_queue end_asyncio_run end_main_guard end_os_exit_after_a_flush
end_names_shadowed end_alarm_handler end_recursion_error_is_caught
world_main_class_is_pickled world_typing world_dataclasses world_global_in_a_function
world_recursion_of_lru_cache world_exec_eval_compile world_random_with_a_seed
world_decimal_context world_star_imports world_big_integers world_function_is_pickled
""".split()  # noqa: SIM905
PLAINEST = ("in input two numbers", "a plain function")


class Right(NamedTuple):
    """A right program. judges: those that know such an answer at all."""

    name: str
    request: Request
    judges: frozenset[str]


def right_programs() -> list[Right]:
    programs = []
    for name in STDIO:
        program = (IDIOMS / f"{name}.py").read_text(encoding="utf-8")
        path = IDIOMS / f"{name}.in"
        stdin = path.read_text(encoding="utf-8") if path.exists() else ""
        task = Task("stdio", [stdin], [printed_by_cpython(program, stdin)])
        judges = frozenset({OURS, *(judge for judge in KINDS if "stdio" in KINDS[judge])})
        programs.append(Right(name.replace("_", " "), Request(program, task), judges))
    every = frozenset({OURS, *KINDS})
    for function in FUNCTIONS:
        request = Request(function.program, function.task)
        programs.append(Right(function.name, request, function.judges or every))
    return programs


def printed_by_cpython(program: str, stdin: str) -> str:
    """Ends this command where the program is not right by itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(program, encoding="utf-8")
        path.with_suffix(".in").write_text(stdin, encoding="utf-8")
        with path.with_suffix(".in").open("rb") as file:
            done = subprocess.run(
                [sys.executable, str(path)],
                stdin=file,
                capture_output=True,
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": folder},
                timeout=60,
            )
    if done.returncode or not done.stdout:
        said = done.stderr.decode("utf-8", "replace")
        raise SystemExit(f"plain CPython ends with status {done.returncode}: {said}\n{program}")
    return done.stdout.decode()


def ask_all(programs: list[Right]) -> dict[str, dict[str, Answer]]:
    """The answers by judge and by the program's name."""
    answers = {}
    python = peers_python()
    for judge in TITLES:
        asked = [right for right in programs if judge in right.judges]
        requests = [right.request for right in asked]
        if judge == OURS:
            found = anyio.run(ask_ours, requests)
        elif python is not None:
            found = ask_peer(python, judge, requests)
        else:
            continue
        names = [right.name for right in asked]
        answers[judge] = dict(zip(names, found, strict=True))
    return answers


def print_table(programs: list[Right], answers: dict[str, dict[str, Answer]]) -> None:
    """A row for each program that somebody refuses."""
    print(f"| right program | {' | '.join(TITLES[judge] for judge in answers)} |")
    print(f"|---|{'---|' * len(answers)}")
    for right in programs:
        found = {judge: column.get(right.name) for judge, column in answers.items()}
        if all(answer is None or answer.passed for answer in found.values()):
            continue
        print(f"| {right.name} | {' | '.join(map(cell_text, found.values()))} |")
    print("\nEvery other right program is accepted by all that were asked.\n")
    for judge, column in answers.items():
        refused = sum(not answer.passed for answer in column.values())
        print(f"{TITLES[judge]}: refuses {refused} of {len(column)} right programs")


def cell_text(answer: Answer | None) -> str:
    if answer is None:
        return "–"
    return "accepted" if answer.passed else f"**refuses**: {short(answer.how)}"


def failures(answers: dict[str, dict[str, Answer]]) -> list[str]:
    """What makes this command fail, in sentences."""
    found = [
        f"our judge refuses the right program: {name} ({answer.how})"
        for name, answer in answers[OURS].items()
        if not answer.passed
    ]
    for judge, column in answers.items():
        for name in PLAINEST:
            if name in column and not column[name].passed:
                found.append(f"{TITLES[judge]} refuses the plainest program: {name}")
    return found


def main() -> int:
    programs = right_programs()
    answers = ask_all(programs)
    print_table(programs, answers)
    if len(answers) == 1:
        print(f"the peers are left out: {PEERS_PYTHON} names no Python that has them")
    wrong = failures(answers)
    for sentence in wrong:
        print(f"FAILED: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
