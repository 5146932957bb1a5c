"""Write configurations of any size: realistic virtual hosts, in one file or one file each.

    python benchmarks/generate.py FOLDER --hosts 1000 [--split] [--certificates]

The mix: proxied applications with upstream groups, PHP with regex locations, static sites, websockets; redirects from
80 to 443; maps, log formats, comments, quoted quantifiers, `${host}`. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

HEAD = """user www-data;
worker_processes auto;
events {{ worker_connections 4096; }}

http {{
    default_type application/octet-stream;
    server_tokens off;
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" "$http_user_agent"';
    access_log off;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    map $uri $expires_by_type {{ default off; ~*\\.(css|js)$ 30d; "~^/v[0-9]{{1,3}}/" 1h; }}
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;
    variables_hash_max_size 4096;
    proxy_headers_hash_max_size 2048;
    types_hash_max_size 4096;
{body}}}
"""

REDIRECT = """server {{
    listen 80;
    server_name {name} www.{name};
    return 301 https://{name}$request_uri;
}}
"""

APP = """# {name}: application
upstream {id} {{
    zone {id} 64k;
    server 10.{a}.{b}.10:8080 weight=2 max_fails=3;
    server 10.{a}.{b}.11:8080;
    keepalive 32;
}}
server {{
    listen {tls};
    server_name {name} www.{name};
    {certificate}
    client_max_body_size 20m;
    add_header X-Frame-Options SAMEORIGIN always;

    location / {{
        proxy_pass http://{id};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto ${{scheme}};
        proxy_read_timeout 120s;
    }}
    location ~* "^/assets/[0-9a-f]{{8,40}}/" {{
        root /srv/{id}/public;
        expires 30d;
    }}
    location = /healthz {{ return 204; }}
}}
"""

PHP = """# {name}: PHP
server {{
    listen {tls};
    server_name {name} www.{name};
    root /srv/{id}/web;
    index index.php;
    {certificate}
    location / {{ try_files $uri $uri/ /index.php?$query_string; }}
    location ~ \\.php$ {{
        try_files $uri =404;
        fastcgi_pass unix:/run/php/{id}.sock;
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
        fastcgi_param QUERY_STRING $query_string;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param HTTP_PROXY "";
        fastcgi_read_timeout 300;
    }}
    location ~ /\\.(?!well-known) {{ deny all; }}
    location ^~ /uploads/ {{ expires 7d; add_header Cache-Control "public, max-age=604800"; }}
}}
"""

STATIC = """# {name}: static
server {{
    listen {tls};
    server_name {name};
    root /srv/{id}/public;
    {certificate}
    gzip on;
    gzip_types text/css application/javascript application/json;
    location / {{ try_files $uri $uri/index.html =404; }}
    location ~* \\.(?:css|js|png|jpe?g|svg|woff2)$ {{ expires 30d; access_log off; }}
    error_page 404 /404.html;
}}
"""

WEBSOCKET = """# {name}: websocket
upstream {id} {{
    server 10.{a}.{b}.20:9000;
    server 10.{a}.{b}.21:9000 backup;
}}
server {{
    listen {tls};
    server_name {name};
    {certificate}
    location /socket/ {{
        proxy_pass http://{id};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
        proxy_read_timeout 1h;
    }}
    location / {{ root /srv/{id}; }}
}}
"""


def hosts(count: int, certificate: str) -> list[tuple[str, str]]:
    """(name, text) of each virtual host."""
    result = []
    tls = "443 ssl" if certificate else "8443"
    for n in range(count):
        name, kind = f"site{n}.example.com", (APP, PHP, APP, STATIC, WEBSOCKET)[n % 5]
        values = {
            "name": name,
            "id": f"site{n}",
            "a": n // 250 % 250,
            "b": n % 250,
            "tls": tls,
            "certificate": certificate,
        }
        result.append((name, REDIRECT.format(**values) + kind.format(**values)))
    return result


def make_certificate(folder: str) -> str:
    """A self-signed certificate for the sizes that `nginx -t` has to load keys for. Returns the two directives."""
    key, cert = os.path.join(folder, "site.key"), os.path.join(folder, "site.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "3650",
         "-subj", "/CN=example.com"],
        check=True, capture_output=True,
    )  # fmt: skip
    return f"ssl_certificate {cert}; ssl_certificate_key {key};"


def generate(folder: str, count: int, *, split: bool, certificates: bool) -> str:
    """Write a configuration of `count` hosts into `folder`; returns the path of its nginx.conf."""
    os.makedirs(folder, exist_ok=True)
    all_hosts = hosts(count, make_certificate(folder) if certificates else "")
    if split:
        sites = os.path.join(folder, "sites-enabled")
        os.makedirs(sites, exist_ok=True)
        for name, text in all_hosts:
            with open(os.path.join(sites, f"{name}.conf"), "w", encoding="utf-8") as file:
                file.write(text)
        body = "    include sites-enabled/*.conf;\n"
    else:
        body = "".join(text for _, text in all_hosts)
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD.format(body=body))
    return path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("folder")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--split", action="store_true")
    parser.add_argument("--certificates", action="store_true")
    args = parser.parse_args(argv)
    print(generate(args.folder, args.hosts, split=args.split, certificates=args.certificates))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
