# The same installation as `make`, in an image; it runs what `make train` runs.
#   docker build --tag sage_lightning .
#   docker run --rm -v "$PWD/outputs:/app/outputs" -v "$PWD/cache:/app/cache" sage_lightning
#   docker run --rm --gpus all sage_lightning train model=vicreg_vit_tiny
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN make .venv/ready
ENV PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["sage-lightning"]
CMD ["train"]
