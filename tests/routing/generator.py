"""Random configurations and requests that lean on everything routing has: one `Case` has a port of its own."""

from __future__ import annotations

from random import Random

WORDS = ("a", "b", "api", "app", "img", "x", "v1", "old", "new", "static", "do", "c d", "ä")
NAMES = (
    "one.test", "two.test", "*.wild.test", "*.sub.wild.test", ".dot.test", "tail.*", "www.tail.*",
    r"~^re(?<num>\d+)\.test$", r"~^(\w+)\.cap\.test$", "_",
)  # fmt: skip
HOSTS = (
    "one.test", "TWO.test", "two.test.", "a.wild.test", "a.sub.wild.test", "wild.test", "dot.test", "x.dot.test",
    "tail.org", "www.tail.org", "re12.test", "re.test", "abc.cap.test", "unknown.test", "127.0.0.1", "one.test:99",
)  # fmt: skip
REGEXES = (
    r"\.php$", r"\.(png|jpg)$", r"^/api/(.*)$", r"^/(a|b)/(\w+)", r"/x", r"^/old/(?<rest>.*)", r"v\d+", r"^/(.*)/do$",
    r"[A-Z]", r"%",
)  # fmt: skip


class Case:
    """One generated configuration: its text (servers and maps) and its port."""

    def __init__(self, random: Random, number: int, port: int, up: int, root: str) -> None:
        self.random = random
        self.number = number
        self.port = port
        self.up = up
        self.root = root
        self.marks = 0
        self.paths: list[str] = ["/"]
        self.text = self._build()

    def _mark(self) -> str:
        self.marks += 1
        return f'add_header X-Mark "{self.number}-{self.marks}" always;'

    def _build(self) -> str:
        random = self.random
        lines = [
            f"map $arg_m $map{self.number} {{ default d; one /v1/; ~^(t.)o two$1; three $arg_k; }}",
            f"map $http_x_kind $kind{self.number} {{ hostnames; default 0; .k.test 1; ~*^b 2; exact 3; }}",
            f"split_clients $arg_s $split{self.number} {{ 33.3% one; 20% two; * rest; }}",
            f"geo $geo{self.number} {{ default no; 127.0.0.0/8 loop; 10.0.0.0/8 ten; }}",
            f"upstream up{self.number} {{ server 127.0.0.1:{self.up}; }}",
        ]
        names = list(NAMES)
        random.shuffle(names)
        count = random.randint(1, 4)
        default = random.choice([None, None, *range(count)])
        for index in range(count):
            listen = random.choice(["*", "*", "*", "127.0.0.1", "127.0.0.2"])
            option = " default_server" if index == default else ""
            chosen = " ".join(f'"{names.pop()}"' for _ in range(random.randint(1, 2)))
            lines.append(f"server {{ listen {listen}:{self.port}{option}; server_name {chosen}; {self._mark()}")
            if random.random() < 0.1:
                lines.append("merge_slashes off;")
            if random.random() < 0.15:
                lines.append(
                    random.choice(["absolute_redirect off;", "port_in_redirect off;", "server_name_in_redirect on;"])
                )
            lines.append(f"root {self.root};")
            if random.random() < 0.25:
                lines.append(self._error_page())
            lines += self._server_rewrites()
            lines += self._locations(1, "", set())
            lines.append(f"location @be {{ {self._mark()} {self._rewrites(named=True)} {self._pass(False)} }}")
            lines.append("}")
        return "\n".join(lines)

    def _error_page(self) -> str:
        code = self.random.choice(["404", "403 404", "418", "301", "405 404"])
        target = self.random.choice(
            ["@be", "/api/err", "/x", "=200 /new/e", "= @be", "= /b/y?q=1", "http://ex.test/e", "/err$uri"]
        )
        return f"error_page {code} {target};"

    def _server_rewrites(self) -> list[str]:
        random = self.random
        if random.random() < 0.65:
            return []
        return [random.choice([
            "rewrite ^/old/(.*)$ /new/$1;", "rewrite ^/old/(.*) /api/$1 last;", "rewrite ^/s(.*) /x$1?s=1 break;",
            "if ($arg_r) { return 403; }", "if ($arg_r = 2) { return 302 /r$request_uri; }",
            "set $v server; if ($uri ~ ^/do/(.*)) { set $v $1; }", "rewrite ^/gone http://other.test/$host? permanent;",
            f"if ($kind{self.number} = 2) {{ rewrite ^ /kind/$uri last; }}",
        ])]  # fmt: skip

    def _prefix(self, parent: str) -> str:
        random = self.random
        base = parent.rstrip("/") if random.random() < 0.8 or not parent else parent
        made = base + "/" + "/".join(random.choice(WORDS) for _ in range(random.randint(0 if not parent else 1, 2)))
        return made + ("/" if random.random() < 0.5 and not made.endswith("/") else "")

    def _locations(self, depth: int, parent: str, taken: set[str]) -> list[str]:
        random = self.random
        lines = []
        exact: set[str] = set()
        for _ in range(random.randint(2, 7) if depth == 1 else random.randint(0, 2)):
            kind = random.choice(["", "", "", "=", "^~", "~", "~*"])
            if kind in ("~", "~*"):
                pattern = random.choice(REGEXES)
                nested = self._regex_nested(depth)
                lines.append(f'location {kind} "{pattern}" {{ {self._mark()}\n{self._content(False)}\n{nested}}}')
                continue
            pattern = self._prefix(parent)
            pool = exact if kind == "=" else taken
            if pattern in pool or not pattern.startswith(parent):
                continue
            pool.add(pattern)
            self.paths.append(pattern)
            nested = ""
            if kind != "=" and depth < 3 and random.random() < 0.4:
                nested = "\n".join(self._locations(depth + 1, pattern, set()))
            lines.append(f'location {kind} "{pattern}" {{ {self._mark()}\n{self._content(True, kind)}\n{nested}}}')
        return lines

    def _regex_nested(self, depth: int) -> str:
        if depth > 1 or self.random.random() < 0.8:
            return ""
        return f'location ~ "{self.random.choice(REGEXES)}" {{ {self._mark()} {self._content(False)} }}\n'

    def _content(self, prefix: bool, kind: str = "") -> str:
        random = self.random
        parts = []
        if random.random() < 0.05:
            parts.append("internal;")
        if random.random() < 0.08:
            parts.append(
                random.choice(["deny all;", "allow 127.0.0.1; deny all;", "deny 10.0.0.0/8;", "deny 127.0.0.0/8;"])
            )
        if random.random() < 0.1:
            parts.append(self._error_page())
        if random.random() < 0.35:
            parts.append(self._rewrites())
        if random.random() < 0.08:
            parts.append("limit_except GET { deny all; }")
        choice = random.random()
        if choice < 0.6:
            if random.random() < 0.2:
                parts.append(f"proxy_set_header Host {random.choice(['$host', '$http_host', 'fixed', '$proxy_host'])};")
            parts.append(self._pass(prefix))
        elif choice < 0.75:
            parts.append(random.choice([
                'return 200 "ok";', "return 404;", "return 301 /r$uri;", "return 302 https://$host$request_uri;", "return 418;",
                "return 204;", "return http://else.test/$1;", "return 307 $scheme://$http_host/x?$args;", 'return 403 "no";',
            ]))  # fmt: skip
        elif choice < 0.9 and random.random() < 0.75:
            parts.append("try_files " + random.choice([
                "$uri @be;", "$uri $uri/ =404;", "$uri /api/fall?q=$arg_k;", "/here.txt @be;", "$uri $uri/ /index.html;", "/none =418;",
                "$uri @missing;",
            ]))  # fmt: skip
        elif prefix and kind != "=" and random.random() < 0.4:
            parts.append(f"alias {self.root}/dir/;")
        return " ".join(parts)

    def _rewrites(self, named: bool = False) -> str:
        random = self.random
        if named and random.random() < 0.7:
            return ""
        return random.choice([
            "rewrite ^/(\\w+)/(.*)$ /$2 break;", "rewrite ^/a(.*) /b$1 last;", "rewrite ^/(\\w)/(.*)$ /new/$2?one=$1 last;",
            "rewrite ^(.*)$ /x$1;", "rewrite ^/(.*)$ /r/$1 redirect;", "rewrite ^/(.*)$ https://$host/$1?k=$1 permanent;",
            "rewrite ^/api/(.*) /do/$1? break;", "set $t 1; if ($arg_a) { set $t 2; } if ($t = 2) { return 403; }",
            "if ($request_method = POST) { return 405; }", "if ($http_x_kind ~* ^b(.)) { rewrite ^ /kind/$1 break; }",
            "if ($arg_a ~ (\\d+)) { set $cap $1; rewrite ^/(.*) /n/$cap/$1 last; }", "if ($args) { return 302 /q?$args; }",
            f"if ($split{self.number} = one) {{ rewrite ^ /split break; }}", f"set $g $geo{self.number}; if ($g = loop) {{ set $g l; }}",
            f"rewrite ^/x /m/$map{self.number}/z break;", "set $args $args&z=1;", "break;", "rewrite ^/v(\\d) /a?v=$1&$args? last;",
            f'if ($arg_b = 1) {{ proxy_pass http://127.0.0.1:{self.up}; }}' if not named else "break;",
            f"if ($kind{self.number} != 0) {{ rewrite ^/(.*) /k/$1 break; }}",
        ])  # fmt: skip

    def _pass(self, prefix: bool) -> str:
        random = self.random
        base = random.choice([f"http://127.0.0.1:{self.up}", f"http://up{self.number}"])
        forms = [
            "",
            "",
            "$request_uri",
            "/u$uri?a=$arg_a",
            f"/m$map{self.number}",
            "/$1",
            "/p/$1$is_args$args",
            "?v=$host",
        ]
        if prefix:
            forms += ["/", "/", "/v1/", "/v1", "/v1", "/q/", "?fixed=1", "/a b/"]
        return f'proxy_pass "{base}{random.choice(forms)}";'

    def requests(self, count: int) -> list[tuple[str, str, dict[str, str], str, str]]:
        """(target, host, headers, method, address) that many times."""
        return [self._request() for _ in range(count)]

    def _request(self) -> tuple[str, str, dict[str, str], str, str]:
        random = self.random
        path = random.choice(self.paths) if random.random() < 0.7 else "/" + "/".join(random.choices(WORDS, k=2))
        path = path.replace(" ", "%20").replace("ä", random.choice(["%C3%A4", "ä"]))
        if path.endswith("/") and random.random() < 0.25 and len(path) > 1:
            path = path[:-1]
        if random.random() < 0.6:
            path += random.choice(["/", ""]) + random.choice([
                "x", "users", "a.php", "pic.png", "PIC.PNG", "do", "a%20b", "a%2Fb", "../x", "./y", "//z", "%2e%2e/q", "a+b", "v2",
                'q"t', "a%3Fb", "%25", "..", ".", "here.txt", "dir", "dir/", "a|b", "%zz", "../../../x", "a#frag", "%41", "a;b=c",
            ])  # fmt: skip
        if random.random() < 0.1:
            path = path.replace("/", "//", 1)
        if random.random() < 0.1 and len(path) > 1:
            at = random.randrange(1, len(path))
            if path[at].isascii() and path[at].isalpha() and "%" not in path[max(0, at - 2) : at]:
                path = f"{path[:at]}%{ord(path[at]):02x}{path[at + 1 :]}"
        if random.random() < 0.45:
            path += "?" + random.choice([
                "a=1", "a=1&b=2", "b=1", "m=one", "m=two&k=v", "m=tXo", "m=three&k=a%20b", "r=2", "r=1", "s=7", "s=abc", "x=a+b", "",
                "a=%2F&b=?", "k=//x/../y", "a#b",
            ])  # fmt: skip
        headers = (
            {"X-Kind": random.choice(["a.k.test", "k.test", "Bar", "exact", "no", "b"])}
            if random.random() < 0.4
            else {}
        )
        method = random.choice(["GET"] * 8 + ["HEAD", "POST", "PUT"])
        if method in ("POST", "PUT"):
            headers["Content-Length"] = "0"
        return path, random.choice(HOSTS), headers, method, random.choice(["127.0.0.1", "127.0.0.1", "127.0.0.2"])
