from django.db import migrations

HOLD = """
ALTER TABLE datasets_item ADD CONSTRAINT item_of_dataset UNIQUE (id, dataset_id);
ALTER TABLE judgments_judgment
    ADD CONSTRAINT judgment_item_of_dataset FOREIGN KEY (item_id, dataset_id) REFERENCES datasets_item (id, dataset_id),
    ADD CONSTRAINT judgment_criterion_of_version FOREIGN KEY (criterion_id, rubric_version_id, kind)
        REFERENCES rubrics_criterion (id, version_id, kind);

CREATE FUNCTION judgments_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'judgments are only ever added: write a new revision of judgment % instead', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER judgments_only_added BEFORE UPDATE OR DELETE ON judgments_judgment
    FOR EACH ROW EXECUTE FUNCTION judgments_only_added();

CREATE FUNCTION datasets_judged_item_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    judged bigint := CASE WHEN TG_TABLE_NAME = 'datasets_item' THEN (to_jsonb(OLD)->>'id')::bigint
                          ELSE (to_jsonb(OLD)->>'item_id')::bigint END;
BEGIN
    IF EXISTS (SELECT 1 FROM judgments_judgment WHERE item_id = judged) THEN
        RAISE EXCEPTION 'item % has judgments and cannot change; import it into a new dataset', judged
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER datasets_judged_item_frozen BEFORE UPDATE OR DELETE ON datasets_item
    FOR EACH ROW EXECUTE FUNCTION datasets_judged_item_frozen();
CREATE TRIGGER datasets_judged_item_frozen BEFORE UPDATE OR DELETE ON datasets_response
    FOR EACH ROW EXECUTE FUNCTION datasets_judged_item_frozen();
"""
LET_GO = """
DROP TRIGGER datasets_judged_item_frozen ON datasets_response;
DROP TRIGGER datasets_judged_item_frozen ON datasets_item;
DROP FUNCTION datasets_judged_item_frozen();
DROP TRIGGER judgments_only_added ON judgments_judgment;
DROP FUNCTION judgments_only_added();
ALTER TABLE judgments_judgment DROP CONSTRAINT judgment_criterion_of_version, DROP CONSTRAINT judgment_item_of_dataset;
ALTER TABLE datasets_item DROP CONSTRAINT item_of_dataset;
"""


class Migration(migrations.Migration):
    dependencies = [("judgments", "0001_first_tables")]
    operations = [migrations.RunSQL(HOLD, LET_GO)]
