-- mysql: tables
SELECT table_schema, table_name, IF(table_type = 'VIEW', '1', '0'), CAST(table_rows AS CHAR) FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') AND table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND table_schema = COALESCE(DATABASE(), table_schema);

-- mysql: unique keys
SELECT index_name, IF(index_name = 'PRIMARY', '1', '0'), column_name FROM information_schema.statistics WHERE table_schema = _utf8mb4 X'5548' AND table_name = _utf8mb4 X'49542753' AND non_unique = 0 AND index_name NOT IN (SELECT index_name FROM information_schema.statistics WHERE table_schema = _utf8mb4 X'5548' AND table_name = _utf8mb4 X'49542753' AND (nullable = 'YES' OR sub_part IS NOT NULL OR column_name IS NULL)) ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index;

-- mysql: foreign keys
SELECT constraint_name, column_name, referenced_table_schema, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage WHERE table_schema = _utf8mb4 X'5548' AND table_name = _utf8mb4 X'49542753' AND referenced_table_name IS NOT NULL ORDER BY constraint_name, ordinal_position;

-- mysql: column facts
SELECT column_name, CASE WHEN extra LIKE '%auto_increment%' THEN 'auto_increment()' ELSE column_default END, character_set_name, NULL, NULL FROM information_schema.columns WHERE table_schema = _utf8mb4 X'5548' AND table_name = _utf8mb4 X'49542753' ORDER BY ordinal_position;

-- oracle: tables
SELECT owner, table_name, '0', TO_CHAR(num_rows) FROM all_tables WHERE nested = 'NO' AND secondary = 'N' AND temporary = 'N' AND dropped = 'NO' AND (iot_type IS NULL OR iot_type = 'IOT') AND owner NOT IN (SELECT username FROM all_users WHERE oracle_maintained = 'Y') AND (owner, table_name) NOT IN (SELECT log_owner, log_table FROM all_mview_logs) UNION ALL SELECT owner, view_name, '1', NULL FROM all_views WHERE owner NOT IN (SELECT username FROM all_users WHERE oracle_maintained = 'Y');

-- oracle: unique keys
SELECT k.constraint_name, CASE k.constraint_type WHEN 'P' THEN '1' ELSE '0' END, c.column_name, c.position FROM all_constraints k INNER JOIN all_cons_columns c ON c.owner = k.owner AND c.constraint_name = k.constraint_name WHERE k.owner = 'UH' AND k.table_name = 'IT''S' AND k.constraint_type IN ('P', 'U') AND k.status = 'ENABLED' AND NOT EXISTS (SELECT 1 FROM all_cons_columns n INNER JOIN all_tab_columns t ON t.owner = 'UH' AND t.table_name = 'IT''S' AND t.column_name = n.column_name WHERE n.owner = k.owner AND n.constraint_name = k.constraint_name AND t.nullable = 'Y') UNION ALL SELECT i.index_name, '0', c.column_name, c.column_position FROM all_indexes i INNER JOIN all_ind_columns c ON c.index_owner = i.owner AND c.index_name = i.index_name WHERE i.table_owner = 'UH' AND i.table_name = 'IT''S' AND i.uniqueness = 'UNIQUE' AND i.index_type = 'NORMAL' AND i.status <> 'UNUSABLE' AND NOT EXISTS (SELECT 1 FROM all_ind_columns n INNER JOIN all_tab_columns t ON t.owner = 'UH' AND t.table_name = 'IT''S' AND t.column_name = n.column_name WHERE n.index_owner = i.owner AND n.index_name = i.index_name AND t.nullable = 'Y') ORDER BY 2 DESC, 1, 4;

-- oracle: foreign keys
SELECT k.constraint_name, c.column_name, p.owner, p.table_name, p.column_name FROM all_constraints k INNER JOIN all_cons_columns c ON c.owner = k.owner AND c.constraint_name = k.constraint_name INNER JOIN all_cons_columns p ON p.owner = k.r_owner AND p.constraint_name = k.r_constraint_name AND p.position = c.position WHERE k.owner = 'UH' AND k.table_name = 'IT''S' AND k.constraint_type = 'R' ORDER BY k.constraint_name, c.position;

-- oracle: column facts
-- it is not asked;

-- postgres: tables
WITH RECURSIVE tree(root, oid) AS (SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.relkind = 'p' AND NOT c.relispartition UNION ALL SELECT t.root, i.inhrelid FROM tree t INNER JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid) SELECT n.nspname::text, c.relname::text, CASE WHEN c.relkind IN ('v', 'm') THEN '1' ELSE '0' END, CASE WHEN c.relkind = 'p' THEN (SELECT sum(p.reltuples)::bigint::text FROM tree t INNER JOIN pg_catalog.pg_class p ON p.oid = t.oid WHERE t.root = c.oid AND p.relkind <> 'p' AND p.reltuples >= 0) WHEN c.relkind <> 'v' AND c.reltuples >= 0 THEN c.reltuples::bigint::text END FROM pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND pg_catalog.left(n.nspname::text, 3) <> 'pg_' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e');

-- postgres: unique keys
SELECT x.relname::text, CASE WHEN i.indisprimary THEN '1' ELSE '0' END, a.attname::text FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) k(n) INNER JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n] WHERE i.indrelid = pg_catalog.to_regclass('UH."IT''S"') AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (SELECT 1 FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) m(n) INNER JOIN pg_catalog.pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = i.indkey[m.n] WHERE NOT b.attnotnull) ORDER BY i.indisprimary DESC, x.relname, k.n;

-- postgres: foreign keys
SELECT k.conname::text, a.attname::text, n.nspname::text, p.relname::text, r.attname::text FROM pg_catalog.pg_constraint k CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) WITH ORDINALITY u(own, theirs, n) INNER JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own INNER JOIN pg_catalog.pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = u.theirs INNER JOIN pg_catalog.pg_class p ON p.oid = k.confrelid INNER JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = pg_catalog.to_regclass('UH."IT''S"') ORDER BY k.conname, u.n;

-- postgres: column facts
SELECT a.attname::text, pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_encoding_to_char(b.encoding)::text, s.name, s.next FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_database b ON b.datname = pg_catalog.current_database() LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN LATERAL (SELECT c.oid::pg_catalog.regclass::text AS name, CASE WHEN q.seqincrement > 0 AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT') THEN pg_catalog.substring(pg_catalog.query_to_xml(pg_catalog.format('SELECT CASE WHEN is_called THEN last_value + %s ELSE last_value END AS v FROM %s', q.seqincrement, c.oid::pg_catalog.regclass), false, true, '')::text, '<v>(-?[0-9]+)</v>') END AS next FROM pg_catalog.pg_depend p INNER JOIN pg_catalog.pg_class c ON c.relkind = 'S' AND ((p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objid = c.oid AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i')) OR (p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.objid = d.oid AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = c.oid)) INNER JOIN pg_catalog.pg_sequence q ON q.seqrelid = c.oid ORDER BY c.oid LIMIT 1) s ON true WHERE a.attrelid = pg_catalog.to_regclass('UH."IT''S"') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- sqlite: tables
SELECT '', name, CASE type WHEN 'view' THEN '1' ELSE '0' END, NULL FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_';

-- sqlite: unique keys
SELECT '', '1', name, pk FROM pragma_table_xinfo('IT''S') WHERE pk > 0 UNION ALL SELECT l.name, '0', i.name, i.seqno FROM pragma_index_list('IT''S') l, pragma_index_info(l.name) i WHERE l."unique" = 1 AND l.origin <> 'pk' AND l.partial = 0 AND NOT EXISTS (SELECT 1 FROM pragma_index_info(l.name) x LEFT JOIN pragma_table_xinfo('IT''S') c ON c.name = x.name WHERE c.name IS NULL OR (c."notnull" = 0 AND c.pk = 0)) ORDER BY 2 DESC, 1, 4;

-- sqlite: foreign keys
SELECT CAST(f.id AS TEXT), f."from", '', coalesce((SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND m.name = f."table" COLLATE NOCASE), f."table"), coalesce((SELECT p.name FROM pragma_table_xinfo(f."table") p WHERE p.name = f."to" COLLATE NOCASE OR (f."to" IS NULL AND p.pk = f.seq + 1)), f."to") FROM pragma_foreign_key_list('IT''S') f ORDER BY f.id, f.seq;

-- sqlite: column facts
SELECT name, dflt_value, NULL, NULL, NULL FROM pragma_table_xinfo('IT''S') ORDER BY cid;

-- sqlserver: tables
SELECT s.name, o.name, CASE o.type WHEN 'V' THEN '1' ELSE '0' END, CONVERT(varchar(20), p.rows) FROM sys.objects o INNER JOIN sys.schemas s ON s.schema_id = o.schema_id LEFT JOIN (SELECT object_id, SUM(rows) AS rows FROM sys.partitions WHERE index_id IN (0, 1) GROUP BY object_id) p ON p.object_id = o.object_id WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), N'OBJECT', N'SELECT') = 1 AND NOT EXISTS (SELECT 1 FROM sys.extended_properties e WHERE e.class = 1 AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = N'microsoft_database_tools_support');

-- sqlserver: unique keys
SELECT i.name, CONVERT(varchar(1), i.is_primary_key), c.name FROM sys.indexes i INNER JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id INNER JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id WHERE i.object_id = OBJECT_ID(N'UH."IT''S"') AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND ic.key_ordinal > 0 AND NOT EXISTS (SELECT 1 FROM sys.index_columns nic INNER JOIN sys.columns nc ON nc.object_id = nic.object_id AND nc.column_id = nic.column_id WHERE nic.object_id = i.object_id AND nic.index_id = i.index_id AND nic.key_ordinal > 0 AND nc.is_nullable = 1) ORDER BY i.is_primary_key DESC, i.index_id, ic.key_ordinal;

-- sqlserver: foreign keys
SELECT k.name, c.name, s.name, p.name, r.name FROM sys.foreign_keys k INNER JOIN sys.foreign_key_columns f ON f.constraint_object_id = k.object_id INNER JOIN sys.columns c ON c.object_id = f.parent_object_id AND c.column_id = f.parent_column_id INNER JOIN sys.objects p ON p.object_id = f.referenced_object_id INNER JOIN sys.schemas s ON s.schema_id = p.schema_id INNER JOIN sys.columns r ON r.object_id = f.referenced_object_id AND r.column_id = f.referenced_column_id WHERE k.parent_object_id = OBJECT_ID(N'UH."IT''S"') ORDER BY k.name, f.constraint_column_id;

-- sqlserver: column facts
SELECT c.name, CASE WHEN c.is_identity = 1 THEN N'identity()' ELSE d.definition END, CONVERT(varchar(11), COLLATIONPROPERTY(c.collation_name, 'CodePage')), NULL, NULL FROM sys.columns c LEFT JOIN sys.default_constraints d ON d.object_id = c.default_object_id WHERE c.object_id = OBJECT_ID(N'UH."IT''S"') ORDER BY c.column_id;

