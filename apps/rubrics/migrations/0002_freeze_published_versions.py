from django.db import migrations

FREEZE = """
CREATE FUNCTION rubrics_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND to_jsonb(OLD) - 'created_by_id' - 'published_by_id' = to_jsonb(NEW) - 'created_by_id' - 'published_by_id' THEN
        RETURN NEW;  -- an account was removed; the rubric itself is as it was
    END IF;
    RAISE EXCEPTION 'rubric version % is published and cannot change; make a new version', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER rubrics_version_frozen BEFORE UPDATE OR DELETE ON rubrics_rubricversion
    FOR EACH ROW WHEN (OLD.status = 'published') EXECUTE FUNCTION rubrics_version_frozen();

CREATE FUNCTION rubrics_criterion_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched integer[] := ARRAY[CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        touched := touched || NEW.version_id;
    END IF;
    IF EXISTS (SELECT 1 FROM rubrics_rubricversion WHERE id = ANY (touched) AND status = 'published') THEN
        RAISE EXCEPTION 'criterion belongs to a published rubric version and cannot change; make a new version'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER rubrics_criterion_frozen BEFORE INSERT OR UPDATE OR DELETE ON rubrics_criterion
    FOR EACH ROW EXECUTE FUNCTION rubrics_criterion_frozen();
"""
THAW = """
DROP TRIGGER rubrics_criterion_frozen ON rubrics_criterion;
DROP FUNCTION rubrics_criterion_frozen();
DROP TRIGGER rubrics_version_frozen ON rubrics_rubricversion;
DROP FUNCTION rubrics_version_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("rubrics", "0001_first_tables")]
    operations = [migrations.RunSQL(FREEZE, THAW)]
