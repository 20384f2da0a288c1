-- A document that was read out of a file (a PDF) has another digest than the file, which goes with it where it came with a message.

alter table document add column file_digest text;  -- SHA-256 of the file; null: it is the text itself
grant update (file_digest) on document to hearth_app;
