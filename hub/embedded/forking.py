"""Forks one child of the supervisor and turns the copy into it.

The copy never returns into the supervisor's stack: whatever happens, it ends here.
"""

import contextlib
import os
import sys
import traceback
from typing import NoReturn

from hub.embedded.children import EXIT_CLEAN, EXIT_FAILED, Child
from hub.embedded.signals import SignalPipe
from hub.embedded.tether import Tether


def fork_child(child: Child, *, signals: SignalPipe, tether: Tether) -> int:
    """Start the child and return its process id."""
    # Unwritten output would be written by both.
    sys.stdout.flush()
    sys.stderr.flush()
    supervisor_pid = os.getpid()
    with signals.held_back():
        pid = os.fork()
        if pid == 0:
            _become(child, supervisor_pid, signals, tether)
    tether.add(pid)
    return pid


def _become(child: Child, supervisor_pid: int, signals: SignalPipe, tether: Tether) -> NoReturn:
    code = EXIT_FAILED
    try:
        signals.forget_in_child()
        tether.bind_child(supervisor_pid)
        _close_standard_input()
        code = child.run()
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _exit_code(error: SystemExit) -> int:
    """Return what the interpreter itself would make of `sys.exit(…)`."""
    if error.code is None:
        return EXIT_CLEAN
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return EXIT_FAILED


def _close_standard_input() -> None:
    """Keep a child from reading the terminal that belongs to the supervisor."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
