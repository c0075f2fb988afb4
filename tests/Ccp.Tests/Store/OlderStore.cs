using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Tests.Store;

/// <summary>Makes of a store the one that an older ccp would have left: that one's tables, and of all rows what it knew to keep.</summary>
internal static class OlderStore
{
    /// <param name="path">Of a store that nobody has open.</param>
    /// <param name="migrations">How many of them the older ccp had.</param>
    public static void MakeOf(string path, int migrations)
    {
        var older = path + ".older";
        using (var connection = new SqliteConnection($"Data Source={older};Pooling=False"))
        {
            connection.Open();
            foreach (var migration in Schema.Migrations.Take(migrations))
            {
                Run(connection, migration);
            }

            Run(connection, $"PRAGMA application_id = {Schema.ApplicationId}; PRAGMA user_version = {migrations}; ATTACH '{path}' AS newer");
            foreach (var table in Texts(connection, "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
            {
                var columns = string.Join(", ", Texts(connection, $"SELECT name FROM pragma_table_info('{table}', 'main')"));
                Run(connection, $"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
            }
        }

        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
        File.Move(older, path, overwrite: true);
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static List<string> Texts(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var texts = new List<string>();
        while (reader.Read())
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }
}
