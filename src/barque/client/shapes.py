"""What goes over the wire. Made by `scripts/reference.py` from the OpenAPI document."""

from typing import Any, Literal, NotRequired, TypedDict


class AuditRow(TypedDict):
    """One change of state."""

    id: str
    actor: str
    address: str
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created: str


class Pagination(TypedDict):
    """Where a page stands in its list."""

    page: int
    per_page: int
    total: int
    pages: int


class AuditPage(TypedDict):
    """One page of a list."""

    items: list[AuditRow]
    pagination: Pagination


class BuildAnswer(TypedDict):
    """The image that was enqueued."""

    image_id: str
    version: int


class BuildRequest(TypedDict):
    """What to build: a branch, a tag or a commit."""

    ref: NotRequired[str | None]


class NewVariable(TypedDict):
    """A variable to set."""

    name: str
    value: str
    secret: NotRequired[bool]
    buildtime: NotRequired[bool]


class Bulk(TypedDict):
    """Many variables at once: either `variables`, or dotenv text as `raw`."""

    variables: NotRequired[list[NewVariable] | None]
    raw: NotRequired[str | None]
    secret: NotRequired[bool]
    buildtime: NotRequired[bool]


class BulkAnswer(TypedDict):
    """The names that were set, by what that did."""

    created: list[str]
    replaced: list[str]
    unchanged: list[str]


class Change(TypedDict):
    """One property, as it was and as it is; null where there was no release."""

    name: str
    before: str | None
    after: str | None


class ChangedEnvironment(TypedDict):
    """What changes of an environment."""

    name: NotRequired[str]
    env_type: NotRequired[Literal["development", "preview", "production", "staging"]]
    protected: NotRequired[bool]
    auto_deploy_branch: NotRequired[str | None]
    ephemeral: NotRequired[bool]
    previews: NotRequired[bool]
    previews_from_forks: NotRequired[bool]


class ChangedMember(TypedDict):
    """A member's new role."""

    role: Literal["admin", "developer", "viewer"]


class ChangedService(TypedDict):
    """What changes of a service: the fields of creation, all optional."""

    name: NotRequired[str]
    platform: NotRequired[Literal["diesel", "electric", "nuclear", "steam", "stirling", "wind"]]
    github_repository: NotRequired[str | None]
    image_reference: NotRequired[str | None]
    dockerfile: NotRequired[str]
    root_directory: NotRequired[str | None]
    watch_paths: NotRequired[list[str] | None]
    health_check_path: NotRequired[str]
    auto_deploy_branch: NotRequired[str | None]
    deployment_timeout: NotRequired[int]
    update_order: NotRequired[Literal["start-first", "stop-first"]]


class ChangedVariable(TypedDict):
    """What changes of a variable; a secret stays one until it gets a new value."""

    value: NotRequired[str]
    secret: NotRequired[bool]
    buildtime: NotRequired[bool]


class ChangedWebhook(TypedDict):
    """What changes of a webhook."""

    url: NotRequired[str]
    events: NotRequired[
        list[
            Literal[
                "*",
                "build.cancelled",
                "build.failed",
                "build.started",
                "build.succeeded",
                "deployment.cancelled",
                "deployment.failed",
                "deployment.live",
                "deployment.rolled_back",
                "deployment.started",
                "deployment.superseded",
            ]
        ]
    ]
    active: NotRequired[bool]


class Commit(TypedDict):
    """A commit of a push, with the files that it changed."""

    id: NotRequired[str]
    added: NotRequired[list[str]]
    modified: NotRequired[list[str]]
    removed: NotRequired[list[str]]


class ConfigChange(TypedDict):
    """A config variable that differs, and where it is set; never its value."""

    name: str
    change: Literal["added", "changed", "removed"]
    scope: str
    secret: bool


class ConfigChanges(TypedDict):
    """The names of what is new in the config of a release."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class ConfigDiff(TypedDict):
    """Names of config variables, by where they are set, and whether to the same value."""

    only_in_source: list[str]
    only_in_target: list[str]
    different: list[str]
    same: list[str]


class CredentialView(TypedDict):
    """A git credential without its value; `public_key` is what a host wants as deploy key."""

    id: str
    name: str
    kind: str
    host: str
    repository: str | None
    username: str
    public_key: str | None
    created: str


class DeliveryView(TypedDict):
    """One event on its way to a webhook: `pending`, `delivered`, or `failed` for good.

    What is sent once more is a delivery of its own, with the same `event_id`.
    """

    id: str
    event_id: str
    event: str
    status: str
    attempts: int
    response_status: int | None
    error: str | None
    next_attempt: str | None
    created: str
    finished: str | None


class DeliveryPage(TypedDict):
    """One page of a list."""

    items: list[DeliveryView]
    pagination: Pagination


class DeployAnswer(TypedDict):
    """The release, and its deployment."""

    release_id: str
    release_version: int
    deployment_id: str


class DeployRequest(TypedDict):
    """What to deploy: an image's version, or else the newest that is built."""

    image_version: NotRequired[int | None]


class DeploymentLog(TypedDict):
    """What a deployment said."""

    status: str
    log_text: str


class StepView(TypedDict):
    """One step of a deployment."""

    name: str
    started: str
    finished: str | None
    message: str


class DeploymentView(TypedDict):
    """A deployment, step by step."""

    id: str
    release_id: str
    release_version: int
    trigger: str
    actor: str
    status: str
    steps: list[StepView]
    error_detail: str | None
    created: str
    started: str | None
    finished: str | None


class DeploymentPage(TypedDict):
    """One page of a list."""

    items: list[DeploymentView]
    pagination: Pagination


class EnvironmentStatus(TypedDict):
    """How many services an environment has, by the status of their newest deployment.

    Those that were never deployed are counted as `new`.
    """

    env: str
    services: int
    states: dict[str, int]


class EnvironmentView(TypedDict):
    """An environment."""

    id: str
    name: str
    slug: str
    created: str
    updated: str
    env_type: str
    protected: bool
    auto_deploy_branch: str | None
    ephemeral: bool
    previews: bool
    previews_from_forks: bool


class FieldError(TypedDict):
    """What is wrong with one field of a request."""

    field: str
    message: str


class ErrorAnswer(TypedDict):
    """The body of every error."""

    status: int
    message: str
    errors: NotRequired[list[FieldError]]


class ExecRequest(TypedDict):
    """A command for a shell inside of an instance: the first of its type, unless one is named."""

    command: str
    timeout: NotRequired[int]
    process: NotRequired[str]
    index: NotRequired[int | None]


class Figures(TypedDict):
    """Of what ended: counts, the rate of success (0 to 1), and times in seconds of successes."""

    total: int
    succeeded: int
    failed: int
    success_rate: float | None
    median_seconds: float | None
    p95_seconds: float | None


class FrozenVariable(TypedDict):
    """A config variable of a release: equal values have equal fingerprints."""

    name: str
    scope: str
    secret: bool
    fingerprint: str


class Health(TypedDict):
    """The process is up."""

    status: str


class Skipped(TypedDict):
    """A service, or a project, that a delivery was about and that it leaves as it is, and why."""

    path: str
    reason: str


class Started(TypedDict):
    """A service that is built and deployed because of a delivery."""

    service: str
    image_version: int
    deployment_id: str


class HookAnswer(TypedDict):
    """What came of a delivery: `started`, `removed`, `ignored`, or `duplicate`.

    `removed` lists the environments of pull requests that were closed.
    """

    result: str
    started: NotRequired[list[Started]]
    skipped: NotRequired[list[Skipped]]
    removed: NotRequired[list[str]]


class ImageView(TypedDict):
    """An image. `plan` says how it was built, where the repository has no Dockerfile.

    `source` is what it was built from: `repository`, `upload` or `push`. An `image_reference` is
    what it was made from, where that was an image already, and `port` what `PORT` will be, where
    that image says so. While it is queued, `queue_position` says which turn will be its own,
    counted from 1. `pruned` says since when the service has it no more, but for its row.
    """

    id: str
    version: int
    status: str
    source: str
    ref: str | None
    image_reference: str | None
    commit_sha: str | None
    dockerfile: str | None
    plan: dict[str, Any] | None
    procfile: str | None
    processes: dict[str, str] | None
    port: int | None
    image_digest: str | None
    size_bytes: int | None
    error_detail: str | None
    created: str
    started: str | None
    finished: str | None
    pruned: str | None
    queue_position: NotRequired[int | None]


class ImagePage(TypedDict):
    """One page of a list."""

    items: list[ImageView]
    pagination: Pagination


class KeyView(TypedDict):
    """An API key, without the key itself.

    `rate_limit` is in requests a minute: null is the platform's default, 0 no limit.
    """

    id: str
    name: str
    prefix: str
    scope: str
    org_id: str | None
    expires_at: str | None
    revoked_at: str | None
    rate_limit: int | None
    created: str


class LatestDeployment(TypedDict):
    """The newest deployment."""

    id: str
    status: str
    release_id: str
    created: str
    finished: str | None


class LatestVersion(TypedDict):
    """The newest image or release."""

    id: str
    version: int
    status: str
    created: str


class Line(TypedDict):
    """A line that an instance wrote; `id` grows within the service."""

    id: int
    at: str
    process: str
    index: int
    text: str


class LockRequest(TypedDict):
    """Why nothing may be deployed."""

    reason: str


class LogLines(TypedDict):
    """Lines, oldest first."""

    lines: list[Line]


class LogView(TypedDict):
    """A build log."""

    status: str
    version: int
    log_text: str
    truncated: bool


class MadeKey(TypedDict):
    """An API key at its making: the only time that `key` is shown."""

    id: str
    name: str
    prefix: str
    scope: str
    org_id: str | None
    expires_at: str | None
    revoked_at: str | None
    rate_limit: int | None
    created: str
    key: str


class MadeWebhook(TypedDict):
    """A webhook with a new secret: the only time that it is shown."""

    id: str
    url: str
    events: list[str]
    project_id: str | None
    active: bool
    failing_since: str | None
    disabled_reason: str | None
    created: str
    updated: str
    secret: str


class MemberView(TypedDict):
    """A member: `id` is the user's."""

    id: str
    email: str
    role: str
    created: str


class NewCredential(TypedDict):
    """A new git credential: a `token`, or an `ssh_key`, which is made here without a `value`.

    It opens every repository of the host, or the one `repository`. `username` is `git` for a key
    and, for a token, what GitHub expects, unless given.
    """

    name: str
    kind: Literal["ssh_key", "token"]
    host: str
    value: NotRequired[str | None]
    repository: NotRequired[str | None]
    username: NotRequired[str | None]


class NewEnvironment(TypedDict):
    """A new environment."""

    name: str
    slug: NotRequired[str | None]
    env_type: NotRequired[Literal["development", "preview", "production", "staging"]]
    protected: NotRequired[bool]
    auto_deploy_branch: NotRequired[str | None]
    ephemeral: NotRequired[bool]
    previews: NotRequired[bool]
    previews_from_forks: NotRequired[bool]


class NewKey(TypedDict):
    """A new API key, perhaps confined to one organization, perhaps for another member of it.

    `rate_limit` is in requests a minute; null is the platform's default.
    """

    name: str
    scope: NotRequired[Literal["admin", "deploy", "read"]]
    org: NotRequired[str | None]
    user: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    rate_limit: NotRequired[int | None]


class NewMember(TypedDict):
    """Who joins, and as what."""

    email: str
    role: NotRequired[Literal["admin", "developer", "viewer"]]


class NewOrganization(TypedDict):
    """A new organization; its slug is derived from the name unless given."""

    name: str
    slug: NotRequired[str | None]


class NewProject(TypedDict):
    """A new project; its slug is derived from the name unless given."""

    name: str
    slug: NotRequired[str | None]


class NewService(TypedDict):
    """A new service (seed: "Create a service")."""

    name: str
    platform: Literal["diesel", "electric", "nuclear", "steam", "stirling", "wind"]
    slug: NotRequired[str | None]
    github_repository: NotRequired[str | None]
    image_reference: NotRequired[str | None]
    dockerfile: NotRequired[str]
    root_directory: NotRequired[str | None]
    watch_paths: NotRequired[list[str] | None]
    health_check_path: NotRequired[str]
    auto_deploy_branch: NotRequired[str | None]
    deployment_timeout: NotRequired[int]
    update_order: NotRequired[Literal["start-first", "stop-first"]]


class NewWebhook(TypedDict):
    """A new webhook: `*` is every event; a `project` (slug or id) narrows it to that one's."""

    url: str
    events: NotRequired[
        list[
            Literal[
                "*",
                "build.cancelled",
                "build.failed",
                "build.started",
                "build.succeeded",
                "deployment.cancelled",
                "deployment.failed",
                "deployment.live",
                "deployment.rolled_back",
                "deployment.started",
                "deployment.superseded",
            ]
        ]
    ]
    project: NotRequired[str | None]
    active: NotRequired[bool]


class ProjectStatus(TypedDict):
    """How many services a project has, by the status of their newest deployment.

    Those that were never deployed are counted as `new`.
    """

    project: str
    services: int
    states: dict[str, int]


class OrganizationStatus(TypedDict):
    """A summary of each project that has services."""

    projects: list[ProjectStatus]


class OrganizationView(TypedDict):
    """An organization."""

    id: str
    name: str
    slug: str
    created: str
    updated: str


class PipelineAnswer(TypedDict):
    """The image that is built, the release that it becomes, and the deployment of that."""

    image_id: str
    image_version: int
    release_id: str
    release_version: int
    deployment_id: str


class PipelineEvent(TypedDict):
    """A build or a deployment: `version` is the image's or the release's."""

    kind: str
    id: str
    env: str
    service: str
    version: int
    status: str
    trigger: str | None
    actor: str | None
    error_detail: str | None
    created: str
    started: str | None
    finished: str | None


class PipelineEventPage(TypedDict):
    """One page of a list."""

    items: list[PipelineEvent]
    pagination: Pagination


class PipelineMetrics(TypedDict):
    """The figures of the last `window_days`."""

    window_days: int
    builds: Figures
    deployments: Figures


class PipelineRequest(TypedDict):
    """What to build and deploy: a service of an environment, at a branch, tag or commit."""

    service: str
    env: str
    ref: NotRequired[str | None]


class ServiceStatus(TypedDict):
    """Where a service stands: what serves, the newest of each stage, and what waits.

    `queue_position` says which turn at building will be its own, counted from 1.
    """

    env: str
    service: str
    name: str
    process_counts: dict[str, int]
    locked_by: str | None
    live_release: int | None
    latest_image: LatestVersion | None
    latest_release: LatestVersion | None
    latest_deployment: LatestDeployment | None
    queued_builds: int
    queued_deployments: int
    queue_position: int | None


class PipelineStatus(TypedDict):
    """Where each service of a project stands, and a summary of those asked about."""

    services: list[ServiceStatus]
    environments: list[EnvironmentStatus]


class PlatformView(TypedDict):
    """A platform name and its binding: `cpus` in cores, `memory_mb` in MiB, of one container."""

    name: str
    bound: bool
    driver: str
    cpus: float
    memory_mb: int


class Side(TypedDict):
    """What is live in an environment, if anything is."""

    env: str
    image_version: int | None
    image_digest: str | None
    release_version: int | None
    commit_sha: str | None


class Preview(TypedDict):
    """What a promotion would change."""

    service: str
    source: Side
    target: Side
    same_image: bool
    config: ConfigDiff


class PreviewView(TypedDict):
    """An open pull request, and the environment that it has, unless somebody deleted that."""

    repository: str
    number: int
    head_ref: str
    head_sha: str
    env: str | None


class ProcessView(TypedDict):
    """One instance: `release` is a version, `cpu` in cores, `memory` in bytes, both just now."""

    type: str
    index: int
    state: str
    release: int
    started: str | None
    restarts: int
    cpu: float
    memory: int


class ProjectView(TypedDict):
    """A project."""

    id: str
    name: str
    slug: str
    created: str
    updated: str


class Promotion(TypedDict):
    """Which service, from which environment, to which."""

    service: str
    source_env: str
    target_env: str


class PromotionAnswer(TypedDict):
    """The image as the target numbers it, its release there, and the deployment of that."""

    image_version: int
    release_id: str
    release_version: int
    deployment_id: str


class Pusher(TypedDict):
    """Whoever pushed."""

    name: NotRequired[str]


class Repository(TypedDict):
    """A repository: `owner/name`."""

    full_name: str


class Push(TypedDict):
    """A push."""

    ref: str
    after: str
    repository: Repository
    pusher: NotRequired[Pusher]
    created: NotRequired[bool]
    forced: NotRequired[bool]
    commits: NotRequired[list[Commit] | None]


class Readiness(TypedDict):
    """Whether each thing that the platform needs answers: `ok`, or why not."""

    status: str
    database: str
    engine: str
    router: str


class ReleaseChanges(TypedDict):
    """What is new since the release before."""

    image: bool
    config: ConfigChanges


class ReleaseDiff(TypedDict):
    """What differs from the release `base` (null: from nothing) to `version`.

    `version` is null for a release that would be made. `properties` are the image's version, the
    commit, the platform and the health check; `processes` are the commands of process types.
    """

    base: int | None
    version: int | None
    image: int
    properties: list[Change]
    processes: list[Change]
    config: list[ConfigChange]


class ReleaseImage(TypedDict):
    """The image of a release."""

    id: str
    version: int


class ReleaseView(TypedDict):
    """A release."""

    id: str
    version: int
    image: ReleaseImage
    platform: str
    config_snapshot: list[FrozenVariable]
    changes: ReleaseChanges
    commit_sha: str | None
    health_check_path: str
    processes: dict[str, str]
    status: str
    created: str


class Renamed(TypedDict):
    """A new name; the slug stays."""

    name: NotRequired[str]


class ResolvedView(TypedDict):
    """A variable as a service sees it: where it comes from, and which levels it hides."""

    name: str
    value: str | None
    secret: bool
    buildtime: bool
    scope: str
    overrides: list[str]


class RollbackRequest(TypedDict):
    """What to go back to: a release's version, or else the last that was live before."""

    release_version: NotRequired[int | None]


class RunAnswer(TypedDict):
    """What a command wrote; its `exit_code` is null when its time was over."""

    exit_code: int | None
    output: str
    timed_out: bool


class RunRequest(TypedDict):
    """A command for a shell of the live release, and the seconds that it may take."""

    command: str
    timeout: NotRequired[int]


class ScaleAnswer(TypedDict):
    """The counts of all process types, and the live deployment that is being scaled."""

    process_counts: dict[str, int]
    deployment_id: str | None


class ScaleRequest(TypedDict):
    """How many instances each process type is to have; those not named keep theirs."""

    process_counts: dict[str, int]


class ServiceRow(TypedDict):
    """A service, as lists show it."""

    id: str
    name: str
    slug: str
    platform: str
    github_repository: str | None
    process_counts: dict[str, int]


class ServiceView(TypedDict):
    """A service, whole."""

    id: str
    name: str
    slug: str
    platform: str
    github_repository: str | None
    process_counts: dict[str, int]
    image_reference: str | None
    dockerfile: str
    root_directory: str | None
    watch_paths: list[str] | None
    health_check_path: str
    auto_deploy_branch: str | None
    deployment_timeout: int
    update_order: str
    locked_by: str | None
    lock_reason: str | None
    url: str
    latest_image: LatestVersion | None
    latest_release: LatestVersion | None
    latest_deployment: LatestDeployment | None
    created: str
    updated: str


class VariableView(TypedDict):
    """A variable of one level; a secret's value is always null."""

    id: str
    name: str
    value: str | None
    secret: bool
    buildtime: bool
    scope: str
    created: str
    updated: str


class WebhookView(TypedDict):
    """A webhook, without its secret.

    `failing_since` is the first failure after the last success. One that the platform made
    inactive says why in `disabled_reason`.
    """

    id: str
    url: str
    events: list[str]
    project_id: str | None
    active: bool
    failing_since: str | None
    disabled_reason: str | None
    created: str
    updated: str


class Whoami(TypedDict):
    """Who is calling."""

    id: str
    email: str
    key_id: str
    scope: Literal["admin", "deploy", "read"]
    org_id: str | None
