-- Schema 2: the weights beside the model that gave an answer.
ALTER TABLE turns ADD COLUMN adapter_hash TEXT NOT NULL DEFAULT ''; -- '': none
