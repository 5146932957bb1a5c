"""The options of `nginxlint check`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.cli.arguments import Parser
    from nginxlint.cli.quick import Quick


def declare(parser: Parser | Quick) -> None:
    """Tell a parser the options. `--help` prints the groups in this order."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="default: nginx.conf here, else /etc/nginx")
    add = parser.add_argument_group("input").add_argument
    add("--root", default="", metavar="DIR", help="look absolute paths up below DIR (a copied tree)")
    add("--prefix", default="", metavar="DIR", help="the folder relative includes start from")
    add("--map", action="append", default=[], metavar="FROM=TO", help="where FROM is missing in a path, try TO")
    add("--context", default="", metavar="NAME", help="what surrounds a snippet: http, server, location, stream, …")
    add("--stdin-filename", default="", metavar="PATH", help="the name to report standard input under")
    add(
        "--nginx-build",
        default="",
        metavar="FILE",
        help="the saved output of nginx -V: its version and modules",
    )
    add(
        "--check-files",
        choices=("auto", "always", "never"),
        default="auto",
        help="look for the certificates, keys and modules it names (auto: on the live tree, and with --root)",
    )
    add(
        "--nginx-version",
        default="",
        metavar="X.Y.Z",
        help="the nginx that will run this (default: the installed one for the live tree, else the newest)",
    )
    add("--exclude", action="append", default=[], metavar="GLOB", help="leave these files of a folder out")
    add = parser.add_argument_group("rules").add_argument
    add(
        "--select", action="append", default=[], metavar="RULES", help="only these ids or groups (comma-separated; ALL)"
    )
    add("--ignore", action="append", default=[], metavar="RULES", help="none of these ids or groups")
    add("--extend-select", action="append", default=[], metavar="RULES", help="these too: opt-in rules")
    add("--extend-ignore", action="append", default=[], metavar="RULES", help="not these either: adds to the settings")
    add(
        "--severity",
        action="append",
        default=[],
        metavar="RULE=LEVEL",
        help="error, warning or info for a rule or group",
    )
    add("--profile", choices=("default", "strict", "security", "gate"), help="a ready choice of rules")
    add("--min-confidence", choices=("high", "medium", "low"), help="how sure a finding is (default: medium)")
    add("--rules", action="append", default=[], metavar="DIR", help="a folder of rules of your own (runs their code)")
    add("--no-suppressions", action="store_true", help="show what comments silence")
    add = parser.add_argument_group("online").add_argument
    add("--online", action="store_true", help="resolve and probe every proxy_pass target (read-only)")
    add("--offline", action="store_true", help="send nothing, whatever the settings say (default)")
    add("--dry-run", action="store_true", help="print what --online would contact, and send nothing")
    add(
        "--resolve",
        action="append",
        default=[],
        metavar="HOST:PORT:ADDR",
        help="take ADDR[,ADDR] for HOST (PORT may be *)",
    )
    add(
        "--hosts-file",
        action="append",
        default=[],
        metavar="FILE",
        help="take the addresses of this hosts file for its names",
    )
    add(
        "--map-from",
        action="append",
        default=[],
        metavar="KIND=FILE",
        help="take names from a compose file (compose=FILE) or a hosts file (hosts=FILE)",
    )
    add("--resolver", default="", metavar="IP[:PORT]", help="ask this DNS server instead of the configured ones")
    add("--timeout", default="", metavar="SECONDS", help="at most this long to connect, and to wait for an answer")
    add("--budget", default="", metavar="SECONDS", help="at most this long for all probes (default 60)")
    add("--concurrency", type=int, metavar="N", help="probes at a time (default 100)")
    add("--allow", action="append", default=[], metavar="NET", help="contact this address, network or name after all")
    add("--deny", action="append", default=[], metavar="NET", help="never contact this address, network or name")
    add(
        "--running-nginx",
        action="store_true",
        help="also look whom the workers on this machine are connected to (Linux)",
    )
    add("--changed-since", default="", metavar="REF", help="probe only targets that differ from those of this commit")
    add("--probe-level", choices=("dns", "tcp", "tls", "http"), help="how far to go (default: http; in CI jobs tcp)")
    add(
        "--vantage",
        choices=("server", "elsewhere"),
        help="is this where nginx runs? (default: elsewhere in a CI job, but for the live tree)",
    )
    add("--strict-online", action="store_true", help="exit with 1 where a target could not be judged")
    add(
        "--cache-ttl",
        default="",
        metavar="SECONDS",
        help="let good answers of earlier runs count so long (default 0; 300 with --changed-since)",
    )
    add("--trace", action="store_true", help="after a connect time-out, look where packets are lost (Linux)")
    add(
        "--export-plan", default="", metavar="FILE", help="write what --online would ask; FILE.pyz can be run elsewhere"
    )
    add("--run-plan", default="", metavar="FILE", help="ask what a plan asks, and print the observations")
    add("--judge", default="", metavar="FILE", help="judge observations made elsewhere instead of probing")
    add = parser.add_argument_group("adoption").add_argument
    add("--baseline", default="", metavar="FILE", help="what this file knows does not count: only new findings do")
    add("--baseline-add", action="store_true", help="put all that is found now into the baseline")
    add("--update-baseline", action="store_true", help="take out of the baseline what is not found any more")
    add = parser.add_argument_group("fixing").add_argument
    add("--fix", action="store_true", help="mend in the files what can be mended safely; report what is left")
    add("--unsafe-fixes", action="store_true", help="also make fixes that may change more than the fault")
    add("--diff", action="store_true", help="print what --fix would change, and write nothing")
    add = parser.add_argument_group("output").add_argument
    add(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FORMAT[:FILE]",
        help="full, concise, json, sarif, github, gitlab, junit or checkstyle; repeatable",
    )
    add("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")
    add("--width", type=int, metavar="N", help="columns of the full report (default: the terminal's, else 100)")
    add("--statistics", action="store_true", help="count findings by rule, on standard error")
    add("--timings", action="store_true", help="time by rule, on standard error")
    add("-q", "--quiet", action="store_true", help="findings only, no summary")
    add("-v", "--verbose", action="store_true", help="which roots, settings and nginx version, on standard error")
    add = parser.add_argument_group("result").add_argument
    add("--fail-on", choices=("error", "warning", "info", "never"), help="the severity that makes the exit code 1")
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add(
        "--gate", action="store_true", help="for service managers: only what blocks the start or surely breaks requests"
    )
    add(
        "--hook", action="store_true", help="PATHs are changed files: read the trees around them, report on these files"
    )
    add = parser.add_argument_group("settings").add_argument
    add("--config", default="", metavar="FILE", help="this settings file instead of the nearest nginxlint.toml")
    add("--no-config", action="store_true", help="no settings file")
    add("--no-cache", action="store_true", help="check anew, and remember nothing, even where nothing has changed")
