# One image for every process of the hub: `hub up` by default, `hub serve`, `hub work` or `hub migrate` as command.
# It runs as user 10001 without privileges, and writes to /data (and, with a read-only root, to nothing else).

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/hub
# The dependencies are a layer of their own: a change of the hub does not fetch them again.
COPY requirements.lock ./
RUN /opt/hub/bin/python -m pip install --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml setup.py README.md ./
COPY config ./config
COPY bridge ./bridge
COPY connectors ./connectors
COPY hub ./hub
RUN /opt/hub/bin/python -m pip install --no-deps --no-build-isolation . \
    && /opt/hub/bin/python -m pip uninstall --yes setuptools \
    && /opt/hub/bin/python -m pip uninstall --yes pip

FROM python:3.13-slim
RUN groupadd --gid 10001 hub \
    && useradd --uid 10001 --gid hub --no-create-home --home-dir /data --shell /usr/sbin/nologin hub \
    && install --directory --owner=hub --group=hub --mode=0700 /data
COPY --from=build /opt/hub /opt/hub
# Inside a container 127.0.0.1 reaches nobody; what is published is decided outside.
ENV PATH=/opt/hub/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HUB_DATA_FOLDER=/data \
    HUB_WEB__HOST=0.0.0.0 \
    HUB_LOG__FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=3)"]
ENTRYPOINT ["hub"]
CMD ["up"]
