"""The folder that Hydra makes for a run, on a disk that may be full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra._internal.utils import run_and_report

from sage_lightning.data.disk import writing_run
from sage_lightning.errors import UserError

RAISES = "HYDRA_FULL_ERROR"  # set, Hydra lets an error through that it would otherwise print


@contextmanager
def run_folder() -> Iterator[None]:
    """Around what Hydra runs: it writes there before the task is called, and tells what fails by a traceback.

    All other errors are told as Hydra tells them.

    Raises:
        UserError: the folder cannot be written.
    """
    asked = os.environ.get(RAISES)
    os.environ[RAISES] = "1"
    try:
        with writing_run(Path("the run's folder")):
            yield
    except UserError:
        raise
    except Exception as error:
        if asked is None:
            del os.environ[RAISES]
        raised, trace = error, error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_name != "run_job":
            trace = trace.tb_next  # Hydra looks for its own frame among the first few

        def again() -> None:
            raise raised.with_traceback(trace or raised.__traceback__)

        run_and_report(again)
    finally:
        os.environ.pop(RAISES, None)
        if asked is not None:
            os.environ[RAISES] = asked
