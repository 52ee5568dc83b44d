"""The errors that a user sees. Each message names the place, what is there, and what to do.

GlotmillError                exit code 1
├── UsageError               exit code 2: the command, an option, an environment
│   ├── UntrustedCodeError   exit code 2: a recipe names code of its own
│   └── RecipeError          exit code 2: a recipe, a template, seeds, a language
├── ShortfallError           exit code 3: a language could not be filled
├── EngineError              exit code 4: the engine or the network
└── RequestFailed            one request: its row gets the verdict `failed`; never ends a run
"""


class GlotmillError(Exception):
    """Any error that is shown to the user as a message, without a traceback."""

    exit_code = 1


class UsageError(GlotmillError):
    """The command or an option cannot be carried out as given."""

    exit_code = 2


class UntrustedCodeError(UsageError):
    """A recipe names Python code of its own, and the user has not said that it may run."""


class RecipeError(UsageError):
    """A recipe, template, seed file or language is wrong; raised before a model is loaded."""


class ShortfallError(GlotmillError):
    """A language has fewer accepted rows than requested."""

    exit_code = 3


class EngineError(GlotmillError):
    """The engine cannot go on: not installed, no such model, refused login, died for good."""

    exit_code = 4


class RequestFailed(GlotmillError):
    """One request got no reply.

    reason: a short name for the rows' column `reason`, such as `prompt_too_long` or `engine_died`.
    detail: a line for a person. transient: a later try may succeed.
    """

    def __init__(self, reason: str, detail: str = "", *, transient: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.transient = transient


def one_line(error: object, limit: int = 300) -> str:
    """Return the text of an error on one line, at most `limit` characters; its class if it has none."""
    text = " ".join(str(error).split())[:limit]
    return text or type(error).__name__


def typed_line(error: BaseException) -> str:
    """Return class and text of another library's error on one line, as in `RuntimeError: out of memory`."""
    name, text = type(error).__name__, one_line(error, 400)
    return name if text == name else f"{name}: {text}"
