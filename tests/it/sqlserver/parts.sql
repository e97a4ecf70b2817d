-- connection 0
SET NOCOUNT ON
-- connection 0
SET QUOTED_IDENTIFIER ON
-- connection 0
SET ANSI_NULLS ON
-- connection 0
SET ANSI_PADDING ON
-- connection 0
SET TEXTSIZE 2147483647
-- connection 0
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) + N' ' + CONVERT(nvarchar(128), SERVERPROPERTY('Edition'))
-- connection 0
SELECT CONVERT(varchar(11), snapshot_isolation_state), CONVERT(varchar(1), is_read_committed_snapshot_on) FROM sys.databases WHERE database_id = DB_ID()
-- connection 0
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
-- connection 0
BEGIN TRANSACTION
-- connection 0
SELECT CONVERT(varchar(33), SYSUTCDATETIME(), 126)
-- connection 0
SELECT c.name, CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END, CASE WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('nchar', 'nvarchar') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length / 2) WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('char', 'varchar', 'binary', 'varbinary') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length) END, CONVERT(varchar(11), c.precision), CONVERT(varchar(11), c.scale), CONVERT(varchar(1), c.is_nullable), t.name + CASE WHEN t.name <> CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END THEN '' WHEN c.max_length = -1 AND CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('varchar', 'nvarchar', 'varbinary') THEN '(max)' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('nchar', 'nvarchar') THEN '(' + CONVERT(varchar(11), c.max_length / 2) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('char', 'varchar', 'binary', 'varbinary') THEN '(' + CONVERT(varchar(11), c.max_length) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('decimal', 'numeric') THEN '(' + CONVERT(varchar(11), c.precision) + ',' + CONVERT(varchar(11), c.scale) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('time', 'datetime2', 'datetimeoffset') THEN '(' + CONVERT(varchar(11), c.scale) + ')' ELSE '' END FROM sys.all_columns c INNER JOIN sys.types t ON t.user_type_id = c.user_type_id LEFT JOIN sys.types b ON b.user_type_id = c.system_type_id WHERE c.object_id = OBJECT_ID(N'[dbo].[tenagree]') ORDER BY c.column_id
-- connection 0
SELECT [id], [tag_ref], CONVERT(varchar(33), [cot], 126), CONVERT(decimal(19,4), [rent]), [note] FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
) AND 1 = 0
-- connection 0
SELECT MAX(DATALENGTH([note])) FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
)
-- connection 0
SELECT CONVERT(varchar(20), SUM(p.rows)) FROM sys.partitions p WHERE p.object_id = OBJECT_ID(N'[dbo].[tenagree]') AND p.index_id IN (0, 1)
-- connection 0
SELECT c.name FROM sys.indexes i INNER JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id INNER JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id WHERE i.object_id = OBJECT_ID(N'[dbo].[tenagree]') AND ic.key_ordinal = 1 AND i.type IN (1, 2) AND i.is_disabled = 0 AND i.has_filter = 0 ORDER BY i.type, i.is_primary_key DESC, i.is_unique DESC, i.index_id
-- connection 0
SELECT MIN([id]), MAX([id]) FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
)
-- connection 0
SELECT '1' FROM sys.security_predicates x INNER JOIN sys.security_policies p ON p.object_id = x.object_id WHERE x.target_object_id = OBJECT_ID(N'[dbo].[tenagree]') AND x.predicate_type_desc = 'FILTER' AND p.is_enabled = 1
-- connection 0
SELECT CONVERT(nvarchar(256), SERVERPROPERTY('ServerName')), DB_NAME()
-- connection 0
SELECT [id], [tag_ref], CONVERT(varchar(33), [cot], 126), CONVERT(decimal(19,4), [rent]), [note] FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
) AND ([id] IS NULL)
-- connection 0
SELECT [id], [tag_ref], CONVERT(varchar(33), [cot], 126), CONVERT(decimal(19,4), [rent]), [note] FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
) AND ([id] < 18)
-- connection 0
SELECT [id], [tag_ref], CONVERT(varchar(33), [cot], 126), CONVERT(decimal(19,4), [rent]), [note] FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
) AND ([id] >= 18 AND [id] < 25)
-- connection 0
SELECT [id], [tag_ref], CONVERT(varchar(33), [cot], 126), CONVERT(decimal(19,4), [rent]), [note] FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
) AND ([id] >= 25 AND [id] < 32)
-- connection 0
SELECT [id], [tag_ref], CONVERT(varchar(33), [cot], 126), CONVERT(decimal(19,4), [rent]), [note] FROM [dbo].[tenagree] WHERE (
cot >= '2001-01-01'
) AND ([id] >= 32)
-- connection 1
SET NOCOUNT ON
-- connection 1
SET QUOTED_IDENTIFIER ON
-- connection 1
SET ANSI_NULLS ON
-- connection 1
SET ANSI_PADDING ON
-- connection 1
SET TEXTSIZE 2147483647
-- connection 1
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) + N' ' + CONVERT(nvarchar(128), SERVERPROPERTY('Edition'))
-- connection 1
SELECT CONVERT(varchar(11), snapshot_isolation_state), CONVERT(varchar(1), is_read_committed_snapshot_on) FROM sys.databases WHERE database_id = DB_ID()
-- connection 1
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
-- connection 1
BEGIN TRANSACTION
-- connection 1
SELECT CONVERT(varchar(33), SYSUTCDATETIME(), 126)
-- connection 1
SELECT s.name, o.name, CASE o.type WHEN 'V' THEN '1' ELSE '0' END, CONVERT(varchar(20), p.rows) FROM sys.objects o INNER JOIN sys.schemas s ON s.schema_id = o.schema_id LEFT JOIN (SELECT object_id, SUM(rows) AS rows FROM sys.partitions WHERE index_id IN (0, 1) GROUP BY object_id) p ON p.object_id = o.object_id WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), N'OBJECT', N'SELECT') = 1 AND NOT EXISTS (SELECT 1 FROM sys.extended_properties e WHERE e.class = 1 AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = N'microsoft_database_tools_support')
-- connection 1
SELECT c.name, CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END, CASE WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('nchar', 'nvarchar') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length / 2) WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('char', 'varchar', 'binary', 'varbinary') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length) END, CONVERT(varchar(11), c.precision), CONVERT(varchar(11), c.scale), CONVERT(varchar(1), c.is_nullable), t.name + CASE WHEN t.name <> CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END THEN '' WHEN c.max_length = -1 AND CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('varchar', 'nvarchar', 'varbinary') THEN '(max)' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('nchar', 'nvarchar') THEN '(' + CONVERT(varchar(11), c.max_length / 2) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('char', 'varchar', 'binary', 'varbinary') THEN '(' + CONVERT(varchar(11), c.max_length) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('decimal', 'numeric') THEN '(' + CONVERT(varchar(11), c.precision) + ',' + CONVERT(varchar(11), c.scale) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END IN ('time', 'datetime2', 'datetimeoffset') THEN '(' + CONVERT(varchar(11), c.scale) + ')' ELSE '' END FROM sys.all_columns c INNER JOIN sys.types t ON t.user_type_id = c.user_type_id LEFT JOIN sys.types b ON b.user_type_id = c.system_type_id WHERE c.object_id = OBJECT_ID(N'dbo.tenagree') ORDER BY c.column_id
-- connection 1
SELECT i.name, CONVERT(varchar(1), i.is_primary_key), c.name FROM sys.indexes i INNER JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id INNER JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id WHERE i.object_id = OBJECT_ID(N'dbo.tenagree') AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND ic.key_ordinal > 0 AND NOT EXISTS (SELECT 1 FROM sys.index_columns nic INNER JOIN sys.columns nc ON nc.object_id = nic.object_id AND nc.column_id = nic.column_id WHERE nic.object_id = i.object_id AND nic.index_id = i.index_id AND nic.key_ordinal > 0 AND nc.is_nullable = 1) ORDER BY i.is_primary_key DESC, i.index_id, ic.key_ordinal
-- connection 1
SELECT k.name, c.name, s.name, p.name, r.name FROM sys.foreign_keys k INNER JOIN sys.foreign_key_columns f ON f.constraint_object_id = k.object_id INNER JOIN sys.columns c ON c.object_id = f.parent_object_id AND c.column_id = f.parent_column_id INNER JOIN sys.objects p ON p.object_id = f.referenced_object_id INNER JOIN sys.schemas s ON s.schema_id = p.schema_id INNER JOIN sys.columns r ON r.object_id = f.referenced_object_id AND r.column_id = f.referenced_column_id WHERE k.parent_object_id = OBJECT_ID(N'dbo.tenagree') ORDER BY k.name, f.constraint_column_id
-- connection 1
SELECT c.name, CASE WHEN c.is_identity = 1 THEN N'identity()' ELSE d.definition END, CONVERT(varchar(11), COLLATIONPROPERTY(c.collation_name, 'CodePage')), NULL, NULL FROM sys.columns c LEFT JOIN sys.default_constraints d ON d.object_id = c.default_object_id WHERE c.object_id = OBJECT_ID(N'dbo.tenagree') ORDER BY c.column_id
