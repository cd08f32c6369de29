/** The compose files of the miniature: the guide's services, images, checks and overrides. */
const dependencies = `services:
  message-queue:
    image: "\${MESSAGE_QUEUE_DOCKER_IMAGE:-rabbitmq:latest}"
    environment:
      RABBITMQ_DEFAULT_USER: infrahub
      RABBITMQ_DEFAULT_PASS: infrahub
    healthcheck:
      test: rabbitmq-diagnostics -q ping
      interval: 5s
      timeout: 30s
      retries: 10
  cache:
    image: "\${CACHE_DOCKER_IMAGE:-redis:latest}"
    healthcheck:
      test: redis-cli ping | grep PONG
      interval: 2s
      timeout: 5s
      retries: 10
`;

const neo4j = `services:
  database:
    image: "\${DATABASE_DOCKER_IMAGE:-neo4j:community}"
    environment:
      NEO4J_AUTH: neo4j/admin
    volumes:
      - database_data:/data
      - database_logs:/logs
    healthcheck:
      test: wget -q -O /dev/null http://localhost:7474 || exit 1
      interval: 2s
      timeout: 10s
      retries: 20
      start_period: 3s

volumes:
  database_data:
  database_logs:
`;

const memgraph = `services:
  database:
    image: "\${DATABASE_DOCKER_IMAGE:-memgraph/memgraph:latest}"
    volumes:
      - database_data:/var/lib/memgraph
      - database_logs:/var/log/memgraph
    healthcheck:
      test: bash -c 'mgconsole < <(echo "SHOW TRANSACTIONS;")'
      interval: 2s
      timeout: 10s
      retries: 20
      start_period: 3s

volumes:
  database_data:
  database_logs:
`;

const server = `services:
  infrahub-server:
    image: "\${IMAGE_NAME}:\${IMAGE_VER}"
    depends_on:
      database:
        condition: service_healthy
      message-queue:
        condition: service_healthy
      cache:
        condition: service_healthy
    volumes:
      - storage_data:/opt/infrahub/storage

volumes:
  storage_data:
`;

const withServerPort = `services:
  infrahub-server:
    ports:
      - "8000:8000"
`;

const devOverride = `services:
  database:
    ports:
      - "7687:7687"
      - "7474:7474"
      - "7444:7444"
  message-queue:
    ports:
      - "5672:5672"
      - "15672:15672"
  cache:
    ports:
      - "6379:6379"
`;

export const composeFiles: Readonly<Record<string, string>> = {
  'development/docker-compose-deps.yml': dependencies,
  'development/docker-compose-database-neo4j.yml': neo4j,
  'development/docker-compose-database-memgraph.yml': memgraph,
  'development/docker-compose.yml': server,
  'development/docker-compose.default.yml': withServerPort,
  'development/docker-compose.override.yml.tmp': withServerPort,
  'development/docker-compose.dev-override.yml.tmp': devOverride,
};
