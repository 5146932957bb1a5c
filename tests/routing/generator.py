"""Random configurations and requests that lean on everything routing has: one `Case` has two ports of its own."""

from __future__ import annotations

from random import Random

from nginxlint.routing.request import Request, gathered

WORDS = ("a", "b", "api", "app", "img", "x", "v1", "old", "new", "static", "do", "c d", "ä", "dir")
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
    r"[A-Z]", r"%", r"^/static/(.+\.txt)$", r"^(/.+\.php)(/.*)?$",
)  # fmt: skip
ADDRESSES = (
    "192.0.2.7", "192.0.2.7, 10.0.0.3", "10.0.0.3,127.0.0.9, 192.0.2.1", "198.51.100.1 , 127.0.0.1", "127.0.0.1", "10.0.0.3:99", "[2001:db8::1]:8",
    "::ffff:10.0.0.3", "2001:DB8:0::1", "x, 10.0.0.3", "10.0.0.3, x", "", ",10.0.0.3", "[::1]", "unknown",
)  # fmt: skip
KINDS = ("a.k.test", "k.test", "Bar", "exact", "no", "b", "id-7-z")


class World:
    """What the generated text refers to: where the backends are, a folder with files, a certificate and its key."""

    def __init__(self, backends: dict[str, str], www: str, certificate: str) -> None:
        self.backends = backends
        self.www = www
        self.certificate = certificate


class Case:
    """One generated configuration: its text (servers and maps) and its ports; the second may speak TLS."""

    def __init__(self, random: Random, number: int, ports: tuple[int, int], world: World) -> None:
        self.random = random
        self.number = number
        self.ports = ports
        self.world = world
        self.up = world.backends["up"]
        self.root = world.www
        self.tls = random.random() < 0.4
        self.marks = 0
        self.paths: list[str] = ["/"]
        self.text = self._build()

    def _mark(self) -> str:
        self.marks += 1
        return f'add_header X-Mark "{self.number}-{self.marks}" always;'

    def _some(self, chance: float, *texts: str) -> str:
        return self.random.choice(texts) if self.random.random() < chance else ""

    # --- http and server level -----------------------------------------------------------------------------------

    def _build(self) -> str:
        random, n = self.random, self.number
        lines = [
            f"map $arg_m $map{n} {{ default d; one /v1/; ~^(t.)o two$1; ~*^(?<named{n}>n\\w+)$ $named{n}; three $arg_k; }}",
            f"map $http_x_kind $kind{n} {{ hostnames; default 0; .k.test 1; ~*^b 2; exact 3; ~^id-(\\d)-(.)$ $2$1; }}",
            f"map $map{n}:$kind{n} $both{n} {{ volatile; d:0 none; ~:(.+)$ $1; }}",
            f"map $uri $of_uri{n} {{ ~^/(?<first{n}>[^/]+)/ $first{n}; default root; }}",
            f"split_clients $arg_s $split{n} {{ 33.3% one; 20% two; * rest; }}",
            f"split_clients $host$uri $third{n} {{ 50% 1; * ''; }}",
            f"geo $geo{n} {{ default no; 127.0.0.0/8 loop; 127.0.0.2 second; 10.0.0.0/8 ten; 2001:db8::/32 six; }}",
            f"map $remote_addr $client{n} {{ default other; 127.0.0.1 here; ~^(10)\\. $1; }}",
            f"geo $arg_ip $ranges{n} {{ ranges; default out; 10.0.0.0-10.0.0.9 low; 10.0.0.10-10.0.0.20 high; }}",
            f"upstream up{n} {{ server {self.up}; }}",
            f"upstream sock{n} {{ server unix:{self.world.backends['sock']}; }}",
        ]
        names = list(NAMES)
        random.shuffle(names)
        count = random.randint(1, 4)
        default = random.choice([None, None, *range(count)])
        for index in range(count):
            option = " default_server" if index == default else ""
            listen = f"listen {random.choice(['*', '*', '*', '127.0.0.1', '127.0.0.2'])}:{self.ports[0]}{option};"
            if random.random() < 0.6 or index == 0:
                listen += (
                    f" listen {random.choice(['*', '*', '127.0.0.1'])}:{self.ports[1]}{' ssl' if self.tls else ''};"
                )
            chosen = " ".join(f'"{names.pop()}"' for _ in range(random.randint(1, 2)))
            lines.append(f"server {{ {listen} server_name {chosen}; {self._mark()}")
            if self.tls:
                lines.append(f"ssl_certificate {self.world.certificate}; ssl_certificate_key {self.world.certificate};")
                lines.append(self._some(0.1, "ssl_verify_client optional_no_ca;"))
            lines.append(self._some(0.1, "merge_slashes off;"))
            lines.append(
                self._some(0.2, "absolute_redirect off;", "port_in_redirect off;", "server_name_in_redirect on;")
            )
            lines.append(f"root {self.root}; {self._some(0.25, *self._error_pages())}")
            lines.append(
                self._some(0.1, "index nothing.html here.txt;", "index index.html /index;", "index $arg_k index.html;")
            )
            lines.append(self._some(0.15, "proxy_set_header X-Server $server_name; proxy_set_header Host $host;"))
            lines.append(self._some(0.04, "auth_request /auth;", "mirror /mirror;"))
            lines.append(self._some(0.05, "recursive_error_pages on;"))
            lines.append(self._some(0.03, "post_action /x;", "post_action @two;", "post_action /mirror;"))
            lines.append(self._real_ip(0.25))
            lines += self._server_rewrites()
            lines += self._locations(1, "", set())
            lines.append(f"location = /auth {{ {self._mark()} auth_request off; {self._auth()} }}")
            lines.append(
                f"location = /mirror {{ internal; mirror off; auth_request off; {self._some(0.06, 'return 444;', 'return 204;')}"
                f" proxy_pass http://{self.up}; }}"
            )
            lines.append(f"location @be {{ {self._mark()} {self._rewrites(named=True)} {self._pass(False)} }}")
            lines.append(
                f"location @two {{ {self._mark()} {self._some(0.3, *self._error_pages())} {self._content(False, '@')} }}"
            )
            lines.append("}")
        return "\n".join(line for line in lines if line)

    def _real_ip(self, chance: float) -> str:
        trusted = self._some(chance, "127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "0.0.0.0/0", "unix:")
        if not trusted:
            return ""
        return f"set_real_ip_from {trusted};" + " ".join((
            self._some(0.5, "set_real_ip_from 10.0.0.0/8;", "set_real_ip_from ::/0; set_real_ip_from 127.0.0.1;"),
            self._some(0.7, *(f"real_ip_header {name};" for name in ("X-Forwarded-For", "X-Real-IP", "x-forwarded-for", "X-Kind", "proxy_protocol"))),
            self._some(0.4, "real_ip_recursive on;"),
        ))  # fmt: skip

    def _auth(self) -> str:
        return self.random.choice([
            "return 204;", "return 200 ok;", "return 401;", "return 403;", "return 404;", "if ($arg_a) { return 403; } return 204;",
            "rewrite ^ /x last;",
        ])  # fmt: skip

    def _error_pages(self) -> list[str]:
        codes = ("404", "403 404", "418", "301", "405 404", "500 404", "401 403")
        targets = (
            "@be", "@two", "/api/err", "/x", "=200 /new/e", "= @be", "= /b/y?q=1", "http://ex.test/e", "/err$uri", "=301 http://ex.test/$uri",
            "@missing", "/here.txt", f"/$kind{self.number}",
        )  # fmt: skip
        return [f"error_page {self.random.choice(codes)} {self.random.choice(targets)};"]

    def _server_rewrites(self) -> list[str]:
        if self.random.random() < 0.65:
            return []
        return [self.random.choice([
            "rewrite ^/old/(.*)$ /new/$1;", "rewrite ^/old/(.*) /api/$1 last;", "rewrite ^/s(.*) /x$1?s=1 break;",
            "if ($arg_r) { return 403; }", "if ($arg_r = 2) { return 302 /r$request_uri; }",
            "set $v server; if ($uri ~ ^/do/(.*)) { set $v $1; }", "rewrite ^/gone http://other.test/$host? permanent;",
            f"if ($kind{self.number} = 2) {{ rewrite ^ /kind/$uri last; }}", f"if ({self._condition()}) {{ {self._statement()} }}",
            "if ($scheme = http) { set $s plain; } if ($s = plain) { rewrite ^/new/(.*)$ /old/$1 break; }",
        ])]  # fmt: skip

    # --- locations -----------------------------------------------------------------------------------------------

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
                lines.append(self._regex(kind, depth))
                continue
            pattern = self._prefix(parent)
            pool = exact if kind == "=" else taken
            if pattern in pool or not pattern.startswith(parent) or pattern in ("/auth", "/mirror"):
                continue
            pool.add(pattern)
            self.paths.append(pattern)
            nested = ""
            if kind != "=" and depth < 4 and random.random() < 0.4:
                nested = "\n".join(self._locations(depth + 1, pattern, set()))
            lines.append(f'location {kind} "{pattern}" {{ {self._mark()}\n{self._content(True, kind)}\n{nested}}}')
        return lines

    def _regex(self, kind: str, depth: int) -> str:
        nested = self._regex("~", depth + 1) if depth < 4 and self.random.random() < 0.2 else ""
        return f'location {kind} "{self.random.choice(REGEXES)}" {{ {self._mark()}\n{self._content(False)}\n{nested}}}'

    def _content(self, prefix: bool, kind: str = "") -> str:
        random = self.random
        parts = [
            self._some(0.05, "internal;"),
            self._real_ip(0.06),
            self._some(
                0.08,
                "deny all;",
                "deny 10.0.0.0/8; deny 2001:db8::/32;",
                "allow 192.0.2.0/24; allow 127.0.0.1; deny all;",
                "allow 127.0.0.1; deny all;",
                "deny 10.0.0.0/8;",
                "deny 127.0.0.0/8;",
            ),
            self._some(0.04, "satisfy any; deny all; auth_basic x; auth_basic_user_file /none;", "auth_basic closed;"),
            self._some(0.05, "auth_request /auth;", "auth_request off;", "auth_request /x;"),
            self._some(0.04, "mirror /mirror;"),
            self._some(0.04, "post_action /api/;", "post_action @be;", "post_action /auth;", "post_action @missing;"),
            self._some(0.1, *self._error_pages()),
            self._rewrites() if random.random() < 0.35 else "",
            self._some(
                0.1, "limit_except GET { deny all; }", f"limit_except GET POST {{ proxy_pass {self._literal()}; }}"
            ),
        ]
        choice = random.random()
        if choice < 0.5:
            parts += [self._headers(), self._pass(prefix), self._some(0.15, *self._redirects())]
        elif choice < 0.62:
            parts.append(self._other_pass())
        elif choice < 0.74:
            parts.append(random.choice([
                'return 200 "ok";', "return 404;", "return 301 /r$uri;", "return 302 https://$host$request_uri;", "return 418;",
                "return 204;", "return http://else.test/$1;", "return 307 $scheme://$http_host/x?$args;", 'return 403 "no";', "return 444;",
                f"return 302 /s/$both{self.number}/$of_uri{self.number}/$third{self.number};", "return 303 $request_uri;", "return 500;",
                "return 308 //$server_name$document_uri;", "return 301 $uri/;",
            ]))  # fmt: skip
        elif choice < 0.9 and random.random() < 0.75:
            parts.append("try_files " + random.choice([
                "$uri @be;", "$uri $uri/ =404;", "$uri /api/fall?q=$arg_k;", "/here.txt @be;", "$uri $uri/ /index.html;", "/none =418;",
                "$uri @missing;", "$uri.txt $uri/index.html @two;", "/$1 /dir/ @two;", "$uri/ @be;", "/dir$uri /here.txt;",
                f"/$kind{self.number} /$split{self.number}/x?$args;",
            ]) + self._some(0.3, *(self._pass(prefix) for _ in range(2))))  # fmt: skip
        elif prefix and kind != "=" and random.random() < 0.5:
            parts.append(f"alias {self.root}/{random.choice(['dir/', 'dir', '', '$arg_k/'])};")
            parts.append(self._some(0.4, "try_files $uri here.txt @be;", "try_files $uri/ dir/ $uri =404;"))
        elif not prefix and kind != "@" and random.random() < 0.4:
            parts.append(f"alias {self.root}/{random.choice(['$1', 'dir/$1', 'here.txt'])};")
            parts.append(self._some(0.3, "try_files /here.txt '' @be;", "try_files /dir/ / =404;"))
        elif random.random() < 0.2:
            parts.append("autoindex on;")
        return " ".join(part for part in parts if part)

    # --- the rewrite module --------------------------------------------------------------------------------------

    def _condition(self) -> str:
        n = self.number
        return self.random.choice([
            "$arg_a", "$arg_a = 1", "$arg_a != 1", "$uri ~ ^/(a|api)/(.*)$", "$http_x_kind ~* ^B(.)", "$args !~ a=", "$host !~* ^ONE",
            "$request_method = POST", "$request_method !~ ^(GET|HEAD)$", "-f $request_filename", "!-f $request_filename",
            f"-d {self.root}$uri", "!-d $request_filename", "-e $document_root/here.txt", "!-e $request_filename", "-x $document_root/run",
            "!-x $document_root/here.txt", "$cookie_c = yes", '$http_cookie ~ "d=([^;]+)"', f"$kind{n} != 0", f"$split{n} = one",
            f"$geo{n} = loop", f"$ranges{n} ~ (low|high)", "$request_uri ~* %2f", '$http_user_agent ~ "odd (.)"', "$https", "$is_args",
            "$remote_addr = 127.0.0.1", "$server_port = 80", f"$both{n} ~ ^(\\d)", "$query_string = ''", "$http_absent", "$t = 2",
            "$server_addr = 127.0.0.2", "$request_uri = $uri", f"$of_uri{n} = api", f"$geo{n} = ten", "$remote_addr ~ ^1(.*)1", "$realip_remote_addr != $remote_addr",
            f"$client{n} = here",
        ])  # fmt: skip

    def _statement(self) -> str:
        return self.random.choice([
            "return 403;", "return 302 /if$uri;", "set $t 2;", "set $t $1;", "rewrite ^/(.*)$ /n/$1 last;", "rewrite ^(.*) /i$1 break;", "break;",
            "rewrite ^/(\\w+)/(.*)$ /$2/$1 break;", "return 204;", "rewrite ^ /dir/ last;", "set $args from=if;", "rewrite ^ /x? permanent;",
        ])  # fmt: skip

    def _rewrites(self, named: bool = False) -> str:
        random, n = self.random, self.number
        if named and random.random() < 0.7:
            return ""
        if random.random() < 0.4:
            inside = self._statement()
            if not named and random.random() < 0.2:
                inside += f" proxy_pass {self._literal()}; {self._mark() if random.random() < 0.5 else ''}"
            return f"if ({self._condition()}) {{ {inside} }} " + self._some(
                0.3, f"if ({self._condition()}) {{ {self._statement()} }}"
            )
        return random.choice([
            "rewrite ^/(\\w+)/(.*)$ /$2 break;", "rewrite ^/a(.*) /b$1 last;", "rewrite ^/(\\w)/(.*)$ /new/$2?one=$1 last;",
            "rewrite ^(.*)$ /x$1;", "rewrite ^/(.*)$ /r/$1 redirect;", "rewrite ^/(.*)$ https://$host/$1?k=$1 permanent;",
            "rewrite ^/api/(.*) /do/$1? break;", "set $t 1; if ($arg_a) { set $t 2; } if ($t = 2) { return 403; }",
            "if ($arg_a ~ (\\d+)) { set $cap $1; rewrite ^/(.*) /n/$cap/$1 last; }", "if ($args) { return 302 /q?$args; }",
            f"if ($split{n} = one) {{ rewrite ^ /split break; }}", f"set $g $geo{n}; if ($g = loop) {{ set $g l; }}",
            f"rewrite ^/x /m/$map{n}/z break;", "set $args $args&z=1;", "break;", "rewrite ^/v(\\d) /a?v=$1&$args? last;",
            f"if ($kind{n} != 0) {{ rewrite ^/(.*) /k/$1 break; }}",
            "set $one $arg_a; set $two $one-$uri; set $one x$two; rewrite ^/(.*) /set/$one break;",
            f"set $m $map{n}; set $args m=n1; rewrite ^ /was/$m/now/$map{n}/$both{n} break;",
            "rewrite ^/(?<part>[^/]*)/ /p/$part/$uri last;", "rewrite ^/x(.*) $1 break;", "rewrite ^/(.*)$ /i/$1; rewrite ^/i/(.*)$ /j/$1 break;",
            f"rewrite ^/new/(.*) $scheme://$host:{self.ports[0]}/$1;", "rewrite \\.php$ /index? last;", "rewrite ^/dir/?$ /dir/index.html break;",
            f"set $u http://{self.up}; rewrite ^ /through break;", "return 301 $scheme://$host$request_uri;" if not named else "break;",
        ])  # fmt: skip

    # --- content handlers ----------------------------------------------------------------------------------------

    def _literal(self) -> str:
        n, unix = self.number, f"http://unix:{self.world.backends['sock']}"
        return self.random.choice(
            [f"http://{self.up}", f"http://up{n}", unix, f"http://sock{n}", f"https://{self.world.backends['tls']}"]
        )

    def _pass(self, prefix: bool) -> str:
        random = self.random
        base = self._literal()
        if random.random() < 0.12:
            name = random.choice(["b", "backend"])
            base = random.choice([f"up{self.number}", self.up, f"sock{self.number}"])
            tail = random.choice(["", "", "/", "$request_uri", "$uri", "?k=v", "/p$uri$is_args$args"])
            return f"set ${name} {base}; proxy_pass http://${name}{tail};"
        if random.random() < 0.04 and not self.tls:
            return f"proxy_pass $scheme://{self.up}$uri;"
        if "unix:" in base:
            forms = ["", "", ":", ":/u/", ":/u", ":$request_uri", ":/q$uri"] if prefix else ["", ":$uri", ":/$1?x"]
        else:
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
            forms += ["/", "/", "/v1/", "/v1", "/v1", "/q/", "?fixed=1", "/a b/", "/v1?k="] if prefix else []
        return f'proxy_pass "{base}{random.choice(forms)}";'

    def _headers(self) -> str:
        random, n = self.random, self.number
        lines = [
            self._some(0.3, *(f"proxy_set_header Host {value};" for value in (
                "$host", "$http_host", "fixed", "$proxy_host", "$host:$server_port", "$arg_k.test", "$server_name", "''", "$proxy_host:$proxy_port"))),
            self._some(0.2, "proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
                            " proxy_set_header X-Forwarded-Proto $scheme;"),
            self._some(0.1, "proxy_http_version 1.1; proxy_set_header Connection '';", "proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade;"),
            self._some(0.15, f"proxy_set_header X-Map $map{n}-$kind{n}-$both{n};", "proxy_set_header X-Uri $uri; proxy_set_header X-Request-Uri $request_uri;",
                       "proxy_set_header X-Cap $1-$2; proxy_set_header X-T \"$request\";", "proxy_set_header X-Kind ''; proxy_set_header x-new $cookie_c;",
                       "proxy_set_header X-Doc $document_root; proxy_set_header X-File $request_filename;",
                       f"proxy_set_header X-Geo $geo{n}$ranges{n}; proxy_set_header X-P $server_protocol$server_addr;",
                       f"proxy_set_header X-Client $client{n}$geo{n}; proxy_set_header X-Peer $realip_remote_addr;",
                       "proxy_set_header X-Two two; proxy_set_header X-Two $arg_k; proxy_set_header X-Type $content_type;",
                       "proxy_set_header Accept-Encoding ''; proxy_set_header Content-Type text/odd;"),
            self._some(0.05, "proxy_pass_request_headers off;"),
            self._some(0.05, "proxy_method PUT;", "proxy_method $request_method;", "proxy_pass_request_body off;"),
        ]  # fmt: skip
        random.shuffle(lines)
        return " ".join(line for line in lines if line)

    def _redirects(self) -> list[str]:
        return [
            "proxy_redirect off;", f"proxy_redirect http://{self.up}/ /mapped/;", "proxy_redirect ~^http://[^/]+/(.*)$ https://$host/$1;",
            "proxy_redirect ~*^/(A.*) /low/$1;", "proxy_redirect http://$host/ /;", "proxy_redirect / /front/; proxy_redirect http://up/ /;",
        ]  # fmt: skip

    def _other_pass(self) -> str:
        random, backends = self.random, self.world.backends
        params = {
            "SCRIPT_FILENAME": "$document_root$fastcgi_script_name", "PATH_INFO": "$fastcgi_path_info", "QUERY_STRING": "$query_string",
            "REQUEST_URI": "$request_uri", "REQUEST_METHOD": "$request_method", "SERVER_NAME": "$server_name", "HTTPS": "$https if_not_empty",
            "HTTP_PROXY": "''", "DOCUMENT_URI": "$document_uri", "HTTP_HOST": "$host", "CONTENT_LENGTH": "$content_length",
        }  # fmt: skip
        name = random.choice(["fastcgi", "uwsgi", "scgi", "memcached", "grpc", "stub"])
        if name == "stub":
            return random.choice(["empty_gif;", "stub_status;"])
        if name == "memcached":
            key = random.choice(["$uri", "$request_uri", "k $args%", "$arg_k"])
            return f"set $memcached_key {key!r}; memcached_pass {backends[name]};"
        if name == "grpc":
            return f"grpc_pass {backends[name]};"
        if name == "scgi":
            del params["CONTENT_LENGTH"]  # nginx sends its own besides
        chosen = random.sample(list(params.items()), random.randint(0, 5))
        lines = [f"{name}_param {key} {value};" for key, value in chosen]
        if name == "fastcgi":
            lines.append(self._some(0.4, "fastcgi_index index.php;"))
            lines.append(self._some(0.4, r"fastcgi_split_path_info ^(.+?\.php)(/.*)$;"))
        lines.append(self._some(0.1, f"{name}_pass_request_headers off;"))
        return f"{' '.join(lines)} {name}_pass {backends[name]};"

    # --- requests ------------------------------------------------------------------------------------------------

    def requests(self, count: int) -> list[Request]:
        return [self._request() for _ in range(count)]

    def _request(self) -> Request:
        random = self.random
        second = random.random() < 0.25
        scheme = "https" if second and self.tls and random.random() < 0.9 else "http"
        host = random.choice(HOSTS)
        target = self._target()
        version = "1.0" if random.random() < 0.08 else "1.1"
        headers = {"host": host, "connection": "close"}
        if (version == "1.0" and random.random() < 0.4) or random.random() < 0.01:
            del headers["host"]
        elif random.random() < 0.03:
            headers["host"] = random.choice(["", "a..b", "two.test:", "[::1]:80", "one.test/", "1"])
        if random.random() < 0.04:
            target = f"{scheme}://{random.choice(HOSTS)}{random.choice([target, target, '', '?a=1'])}"
        for chance, name, values in (
            (0.4, "x-kind", (*KINDS, *ADDRESSES[:3])), (0.2, "cookie", ("c=yes; d=4", "d=x", "c=no;c=yes", "d=1, c=yes", "C = yes, d")), (0.2, "user-agent", ("odd x", "curl/8")),
            (0.3, "x-forwarded-for", ADDRESSES), (0.3, "x-real-ip", ADDRESSES), (0.05, "upgrade", ("websocket",)), (0.05, "te", ("trailers",)),
            (0.05, "x_under", ("dropped",)), (0.05, "authorization", ("Basic eDp5",)), (0.05, "keep-alive", ("5",)), (0.1, "accept", ("*/*",)),
            (0.04, "if-modified-since", ("Thu, 01 Jan 1970 00:00:00 GMT",)), (0.04, "content-type", ("text/x",)), (0.03, "range", ("bytes=0-1",)),
        ):  # fmt: skip
            if random.random() < chance:
                headers[name] = random.choice(values)
                if random.random() < 0.15:
                    again = random.choice(values) if random.random() < 0.8 else headers[name]
                    headers |= gathered([(name, headers[name]), (name, again)])
        method = random.choice(
            ["GET"] * 16
            + [
                "HEAD",
                "HEAD",
                "POST",
                "POST",
                "PUT",
                "DELETE",
                "OPTIONS",
                "PATCH",
                "PROPFIND",
                "ODD",
                "TRACE",
                "CONNECT",
                "get",
                "A-B",
            ]
        )
        if method == "CONNECT" and random.random() < 0.7:
            target = random.choice([host, f"{host}:443", f"{host}:{self.ports[0]}", ":1", "[::1]:2"])
        if method in ("POST", "PUT", "PATCH") and random.random() < 0.9:
            headers["content-length"] = "0"
        reply = {}
        if random.random() < 0.06:
            reply = random.choice([
                {"Location": f"http://{self.up}/v1/new"}, {"Location": "/Abc"}, {"Location": f"http://{host}/z"}, {"Location": f"http://up{self.number}/x"},
                {"X-Accel-Redirect": "/a/b%20c?k=v"}, {"X-Accel-Redirect": "@be"}, {"X-Accel-Redirect": "/dir/"}, {"X-Accel-Redirect": "/api/../x"},
            ])  # fmt: skip
        return Request(
            target, port=self.ports[second], address=random.choice(["127.0.0.1", "127.0.0.1", "127.0.0.2"]), method=method, headers=headers,
            complete=True, client="127.0.0.1", version=version, scheme=scheme, reply=reply,
            sni=random.choice([host.partition(":")[0].rstrip("."), *HOSTS[:3]]) if scheme == "https" and host != "127.0.0.1" else "",
        )  # fmt: skip

    def _target(self) -> str:
        random = self.random
        path = random.choice(self.paths) if random.random() < 0.7 else "/" + "/".join(random.choices(WORDS, k=2))
        path = path.replace(" ", "%20").replace("ä", random.choice(["%C3%A4", "ä"]))
        if path.endswith("/") and random.random() < 0.25 and len(path) > 1:
            path = path[:-1]
        if random.random() < 0.6:
            path += random.choice(["/", ""]) + random.choice([
                "x", "users", "a.php", "pic.png", "PIC.PNG", "do", "a%20b", "a%2Fb", "../x", "./y", "//z", "%2e%2e/q", "a+b", "v2",
                'q"t', "a%3Fb", "%25", "..", ".", "here.txt", "dir", "dir/", "a|b", "%zz", "../../../x", "a#frag", "%41", "a;b=c",
                "a.php/info", "index.html", "here", "%c3%a4", "a%0ab", "~", "%7f", "x/./../y/", "%00", "a%2e", "...", "a=b",
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
                "a=%2F&b=?", "k=//x/../y", "a#b", "m=nine", "ip=10.0.0.12", "ip=10.0.0.1", "A=2", "k=dir", "a=12x34", "ip=", "&a=3",
            ])  # fmt: skip
        return path
