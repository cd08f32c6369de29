/** A server, workers and tests in containers, of programs that do next to nothing: for the tasks around them. */
const server = `use strict;
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
  my $length = 0;
  while (my $line = <$client>) { $length = $1 if $line =~ /^content-length: (\\d+)/i; last if $line =~ /^\\r?\\n$/ }
  my $body = '';
  read($client, $body, $length) if $length;
  my $json = $body =~ /CoreRepositoryCreate/ ? '{"data":{"CoreRepositoryCreate":{"ok":true}}}' : '{}';
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($json) . "\\r\\nConnection: close\\r\\n\\r\\n$json";
  close $client;
}
`;

const git = `#!/bin/sh
echo "git $* in $PWD"
[ "$1" = init ] && mkdir -p .git
exit 0
`;

const pytest = `#!/bin/sh
echo "pytest $* with $INFRAHUB_DB_TYPE"
case "$*" in *integration*) exit 5 ;; esac
`;

const says = (name: string) => `#!/bin/sh\necho "${name} $* in $PWD"\n`;

const dockerfile = `FROM neo4j:5.14-community
ARG PYTHON_VER
LABEL python=$PYTHON_VER
COPY server.pl git infrahubctl pytest ruff /usr/local/bin/
RUN chmod 755 /usr/local/bin/*
ENTRYPOINT []
`;

const built = (rest: string) => `    image: "\${IMAGE_NAME}:\${IMAGE_VER}"
    build: { context: ., dockerfile: Dockerfile }
    working_dir: /source
    volumes: ["../:/source", "git_remote_data:/remote"]
    stop_grace_period: 1s
${rest}`;

const compose = `services:
  infrahub-server:
${built(`    command: perl /usr/local/bin/server.pl
    healthcheck: { test: "wget -q -O /dev/null http://localhost:8000/ || exit 1", interval: 1s, retries: 20 }
    depends_on:
      database: { condition: service_healthy }
      cache: { condition: service_healthy }
      message-queue: { condition: service_healthy }
`)}  infrahub-git:
${built(`    command: sleep infinity
    depends_on: { infrahub-server: { condition: service_started } }
`)}
volumes:
  git_remote_data:
`;

const forTests = `services:
  infrahub-test:
${built(`    environment: { INFRAHUB_DB_TYPE: "\${INFRAHUB_DB_TYPE}" }
`)}
volumes:
  git_remote_data:
`;

export const containerFiles: Readonly<Record<string, string>> = {
  'development/Dockerfile': dockerfile,
  'development/server.pl': server,
  'development/git': git,
  'development/pytest': pytest,
  'development/infrahubctl': says('infrahubctl'),
  'development/ruff': says('ruff'),
  'development/docker-compose.yml': compose,
  'development/docker-compose-test.yml': forTests,
  'development/docker-compose-test-database-memgraph.yml': 'services: {}\n',
  'development/docker-compose-test-cache.yml': 'services: {}\n',
  'development/docker-compose-test-scale.yml': 'services: {}\n',
  'backend/tests/fixtures/repos/infrahub-demo-edge/README.md': 'An example.\n',
};
