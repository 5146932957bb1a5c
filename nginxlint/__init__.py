"""nginxlint: what nginx would refuse, what it would serve wrongly, and which proxy_pass target would answer 502.

`from nginxlint import …` gives the names that `nginxlint.exports` lists. Each is imported when it is asked for: help,
completions and a run whose result is known already need none of the engine, and few rules need all of it.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.exports import *  # noqa: F403
else:

    def __getattr__(name):  # noqa: ANN001, ANN202
        homes = __import__("nginxlint._homes", fromlist=["HOMES"]).HOMES
        # one that is being added is not in the generated index yet
        home = __import__(homes.get(name, "nginxlint.exports"), fromlist=[name])
        value = getattr(home, name, None)
        if value is None:
            raise AttributeError(f"module 'nginxlint' has no attribute {name!r}")
        globals()[name] = value
        return value
