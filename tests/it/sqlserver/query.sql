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
SELECT COALESCE(c.name, N''), CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END, CASE WHEN CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('nchar', 'nvarchar') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length / 2) WHEN CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('char', 'varchar', 'binary', 'varbinary') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length) END, CONVERT(varchar(11), c.precision), CONVERT(varchar(11), c.scale), CONVERT(varchar(1), c.is_nullable), COALESCE(c.user_type_name, CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END) + CASE WHEN COALESCE(c.user_type_name, CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END) <> CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END THEN '' WHEN c.max_length = -1 AND CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('varchar', 'nvarchar', 'varbinary') THEN '(max)' WHEN CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('nchar', 'nvarchar') THEN '(' + CONVERT(varchar(11), c.max_length / 2) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('char', 'varchar', 'binary', 'varbinary') THEN '(' + CONVERT(varchar(11), c.max_length) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('decimal', 'numeric') THEN '(' + CONVERT(varchar(11), c.precision) + ',' + CONVERT(varchar(11), c.scale) + ')' WHEN CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END IN ('time', 'datetime2', 'datetimeoffset') THEN '(' + CONVERT(varchar(11), c.scale) + ')' ELSE '' END FROM sys.dm_exec_describe_first_result_set(N'SELECT id, rent FROM dbo.tenagree WHERE id < 5', NULL, 0) c WHERE c.is_hidden = 0 AND c.system_type_id IS NOT NULL ORDER BY c.column_ordinal
-- connection 0
SELECT CONVERT(nvarchar(256), SERVERPROPERTY('ServerName')), DB_NAME()
-- connection 0
SELECT [id], CONVERT(decimal(19,4), [rent]) FROM (
SELECT id, rent FROM dbo.tenagree WHERE id < 5
) q
