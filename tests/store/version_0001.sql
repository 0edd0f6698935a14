CREATE TABLE config_variables (
    scope VARCHAR(16) NOT NULL,
    owner_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value TEXT,
    sealed BYTEA,
    secret BOOLEAN NOT NULL,
    buildtime BOOLEAN NOT NULL,
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_config_variables PRIMARY KEY (id),
    CONSTRAINT uq_config_variables_owner_id_name UNIQUE (owner_id, name)
);
CREATE INDEX ix_config_variables_owner_id ON config_variables (owner_id);
CREATE TABLE github_deliveries (
    id VARCHAR(64) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_github_deliveries PRIMARY KEY (id)
);
CREATE TABLE idempotency_records (
    "key" VARCHAR(64) NOT NULL,
    request VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    answer BYTEA NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_records PRIMARY KEY ("key")
);
CREATE INDEX ix_idempotency_records_created ON idempotency_records (created);
CREATE TABLE organizations (
    name VARCHAR(255) NOT NULL,
    slug VARCHAR(63) NOT NULL,
    data_key BYTEA NOT NULL,
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_organizations PRIMARY KEY (id),
    CONSTRAINT uq_organizations_slug UNIQUE (slug)
);
CREATE TABLE users (
    email VARCHAR(255) NOT NULL,
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email)
);
CREATE TABLE api_keys (
    user_id VARCHAR(36) NOT NULL,
    org_id VARCHAR(36),
    name VARCHAR(255) NOT NULL,
    prefix VARCHAR(16) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    scope VARCHAR(16) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_api_keys_org_id_organizations FOREIGN KEY(org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT uq_api_keys_digest UNIQUE (digest)
);
CREATE INDEX ix_api_keys_org_id ON api_keys (org_id);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
CREATE TABLE audit_entries (
    org_id VARCHAR(36) NOT NULL,
    actor VARCHAR(255) NOT NULL,
    address VARCHAR(64) NOT NULL,
    action VARCHAR(64) NOT NULL,
    target VARCHAR(512) NOT NULL,
    "before" JSON,
    "after" JSON,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_audit_entries PRIMARY KEY (id),
    CONSTRAINT fk_audit_entries_org_id_organizations FOREIGN KEY(org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX ix_audit_entries_org_id ON audit_entries (org_id);
CREATE TABLE memberships (
    org_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    role VARCHAR(16) NOT NULL,
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_memberships PRIMARY KEY (id),
    CONSTRAINT uq_memberships_org_id_user_id UNIQUE (org_id, user_id),
    CONSTRAINT fk_memberships_org_id_organizations FOREIGN KEY(org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT fk_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_memberships_org_id ON memberships (org_id);
CREATE INDEX ix_memberships_user_id ON memberships (user_id);
CREATE TABLE projects (
    org_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    slug VARCHAR(63) NOT NULL,
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_projects PRIMARY KEY (id),
    CONSTRAINT uq_projects_org_id_slug UNIQUE (org_id, slug),
    CONSTRAINT fk_projects_org_id_organizations FOREIGN KEY(org_id) REFERENCES organizations (id)
);
CREATE INDEX ix_projects_org_id ON projects (org_id);
CREATE TABLE environments (
    project_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    slug VARCHAR(63) NOT NULL,
    env_type VARCHAR(16) NOT NULL,
    protected BOOLEAN NOT NULL,
    auto_deploy_branch VARCHAR(255),
    ephemeral BOOLEAN NOT NULL,
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_environments PRIMARY KEY (id),
    CONSTRAINT uq_environments_project_id_slug UNIQUE (project_id, slug),
    CONSTRAINT fk_environments_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);
CREATE INDEX ix_environments_project_id ON environments (project_id);
CREATE TABLE services (
    environment_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    slug VARCHAR(63) NOT NULL,
    platform VARCHAR(16) NOT NULL,
    github_repository VARCHAR(255),
    health_check_path VARCHAR(2048) NOT NULL,
    auto_deploy_branch VARCHAR(255),
    deployment_timeout INTEGER NOT NULL,
    process_counts JSON NOT NULL,
    last_image_version INTEGER NOT NULL,
    last_release_version INTEGER NOT NULL,
    locked_by VARCHAR(255),
    lock_reason VARCHAR(1000),
    updated TIMESTAMP WITH TIME ZONE NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_services PRIMARY KEY (id),
    CONSTRAINT uq_services_environment_id_slug UNIQUE (environment_id, slug),
    CONSTRAINT fk_services_environment_id_environments FOREIGN KEY(environment_id) REFERENCES environments (id)
);
CREATE INDEX ix_services_environment_id ON services (environment_id);
CREATE TABLE images (
    service_id VARCHAR(36) NOT NULL,
    version INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    ref VARCHAR(255),
    reference VARCHAR(255) NOT NULL,
    commit_sha VARCHAR(64),
    dockerfile TEXT,
    procfile TEXT,
    processes JSON,
    image_digest VARCHAR(80),
    size_bytes INTEGER,
    error_detail TEXT,
    cancel_requested BOOLEAN NOT NULL,
    started TIMESTAMP WITH TIME ZONE,
    finished TIMESTAMP WITH TIME ZONE,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_images PRIMARY KEY (id),
    CONSTRAINT uq_images_service_id_version UNIQUE (service_id, version),
    CONSTRAINT fk_images_service_id_services FOREIGN KEY(service_id) REFERENCES services (id) ON DELETE CASCADE
);
CREATE INDEX ix_images_service_id ON images (service_id);
CREATE INDEX ix_images_status ON images (status);
CREATE TABLE releases (
    service_id VARCHAR(36) NOT NULL,
    version INTEGER NOT NULL,
    image_id VARCHAR(36) NOT NULL,
    image_version INTEGER NOT NULL,
    image_reference VARCHAR(255) NOT NULL,
    platform VARCHAR(16) NOT NULL,
    commit_sha VARCHAR(64),
    health_check_path VARCHAR(2048) NOT NULL,
    processes JSON NOT NULL,
    config_snapshot JSON NOT NULL,
    sealed_config BYTEA NOT NULL,
    changes JSON NOT NULL,
    status VARCHAR(16) NOT NULL,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_releases PRIMARY KEY (id),
    CONSTRAINT uq_releases_service_id_version UNIQUE (service_id, version),
    CONSTRAINT fk_releases_service_id_services FOREIGN KEY(service_id) REFERENCES services (id) ON DELETE CASCADE,
    CONSTRAINT fk_releases_image_id_images FOREIGN KEY(image_id) REFERENCES images (id) ON DELETE CASCADE
);
CREATE INDEX ix_releases_image_id ON releases (image_id);
CREATE INDEX ix_releases_service_id ON releases (service_id);
CREATE TABLE deployments (
    service_id VARCHAR(36) NOT NULL,
    release_id VARCHAR(36) NOT NULL,
    "trigger" VARCHAR(16) NOT NULL,
    actor VARCHAR(255) NOT NULL,
    status VARCHAR(16) NOT NULL,
    steps JSON NOT NULL,
    error_detail TEXT,
    cancel_requested BOOLEAN NOT NULL,
    started TIMESTAMP WITH TIME ZONE,
    finished TIMESTAMP WITH TIME ZONE,
    id VARCHAR(36) NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_deployments PRIMARY KEY (id),
    CONSTRAINT fk_deployments_service_id_services FOREIGN KEY(service_id) REFERENCES services (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployments_release_id_releases FOREIGN KEY(release_id) REFERENCES releases (id) ON DELETE CASCADE
);
CREATE INDEX ix_deployments_release_id ON deployments (release_id);
CREATE INDEX ix_deployments_service_id ON deployments (service_id);
CREATE INDEX ix_deployments_status ON deployments (status);
