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
