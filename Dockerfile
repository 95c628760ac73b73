# The library and its workflow with the pinned versions of requirements.lock, for CPUs:
#   docker build -t intae .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" intae --configfile mine.yaml
# With apptainer: apptainer build intae.sif docker-daemon://intae:latest
FROM python:3.12-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1

WORKDIR /opt/intae
COPY requirements.lock ./
# setuptools first: slalom is built with it. torch comes from its index of builds for CPUs.
RUN pip install "$(grep '^setuptools==' requirements.lock)" \
    && pip install --no-build-isolation --extra-index-url https://download.pytorch.org/whl/cpu \
        -r requirements.lock
COPY . .
RUN pip install --no-build-isolation --no-deps -e .

# Whoever runs it need not be known inside: packages keep their caches in HOME, and a run its user.
ENV HOME=/tmp USER=intae
USER 1000:1000

# Configs, data and results lie in /work.
WORKDIR /work
ENTRYPOINT ["snakemake", "--snakefile", "/opt/intae/Snakefile"]
CMD ["--help"]
