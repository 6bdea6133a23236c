# A stand-in of the public image of Prometheus or Alertmanager, from Debian's package, for an engine that reaches no
# registry.
FROM python:3.11-slim-bookworm
ARG PACKAGE
RUN apt-get update --quiet \
 && apt-get install --yes --quiet --no-install-recommends "$PACKAGE" wget \
 && ln -s "/usr/bin/$PACKAGE" /bin/watcher \
 && install --directory --owner 65534 --group 65534 /prometheus /alertmanager
ENTRYPOINT ["/bin/watcher"]
