-- Telemetry that was read from a file (hearth mathcore import), and when: null is the pipeline's own.

alter table telemetry_event add column imported_at timestamptz;
create index telemetry_event_imported on telemetry_event (tenant_id, imported_at) where imported_at is not null;
