# docker build -t nginxlint . && docker run --rm -v /etc/nginx:/etc/nginx:ro nginxlint check /etc/nginx
FROM python:3.12-slim AS build
COPY . /src
RUN pip install --no-cache-dir --prefix /install /src

FROM python:3.12-slim
COPY --from=build /install /usr/local
RUN useradd --system --no-create-home --home-dir /nonexistent nginxlint
USER nginxlint
WORKDIR /work
ENTRYPOINT ["nginxlint"]
CMD ["--help"]
