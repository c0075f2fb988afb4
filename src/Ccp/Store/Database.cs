using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Ccp.Store;

/// <summary>One SQLite connection and its prepared statements. Not thread-safe: its owner is a single thread, and with one named, no other gets in.</summary>
/// <remarks>Parameters are written <c>$1</c>, <c>$2</c>, … in the order of the values. SQL stays visible where it is used.</remarks>
internal sealed class Database : IDisposable
{
    private const int WalBytesKept = 8 * 1024 * 1024;

    /// <summary>No thread has this number.</summary>
    private const int Nobody = 0;

    /// <summary>Given away, and not yet taken.</summary>
    private const int NobodyYet = -1;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _prepared = [];
    private volatile int _owner;

    private Database(SqliteConnection connection, string path)
    {
        _connection = connection;
        Path = path;
    }

    public string Path { get; }

    /// <summary>Opens the one connection that may write, and brings the schema up to date.</summary>
    /// <exception cref="StoreUnavailableException">The file cannot be opened, is not a ccp store, or belongs to a newer ccp.</exception>
    public static Database OpenWriter(string path, bool syncsEveryCommit)
    {
        var database = Open(path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            database.Execute("PRAGMA journal_mode = WAL");
            database.Execute(syncsEveryCommit ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            database.Execute("PRAGMA foreign_keys = ON");

            // What a long reader made of the write-ahead log is given back to the disk once the log begins anew.
            database.Execute($"PRAGMA journal_size_limit = {WalBytesKept}");
            Schema.Migrate(database);
            return database;
        }
        catch (SqliteException error)
        {
            database.Dispose();
            throw new StoreUnavailableException($"The store {path} cannot be used. {StoreFault.Describe(error)}", error);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection for reports. It sees a consistent snapshot and never waits for the writer.</summary>
    public static Database OpenReader(string path) => Open(path, SqliteOpenMode.ReadOnly);

    /// <summary>From here on the connection is for the thread that calls <see cref="TakeOver"/>, and for no other.</summary>
    public void HandOver() => _owner = NobodyYet;

    public void TakeOver() => _owner = Environment.CurrentManagedThreadId;

    /// <summary>The owner has done with it: who comes next may use it, as before <see cref="HandOver"/>.</summary>
    public void GiveBack() => _owner = Nobody;

    /// <summary>Runs statements that return nothing worth reading.</summary>
    public void Execute(string sql)
    {
        AssertOwner();
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <returns>The number of rows changed.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> values) => Prepare(sql, values).ExecuteNonQuery();

    /// <summary>Insists that exactly one row changed.</summary>
    public void RunOne(string sql, params ReadOnlySpan<object?> values)
    {
        var changed = Run(sql, values);
        if (changed != 1)
        {
            throw new InvalidOperationException($"Expected one changed row, got {changed}: {sql}");
        }
    }

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var reader = Prepare(sql, values).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    /// <returns>The first row, or default when there is none.</returns>
    public T? QueryFirst<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var reader = Prepare(sql, values).ExecuteReader();
        return reader.Read() ? read(reader) : default;
    }

    /// <summary>Hands every row to <paramref name="visit"/> without keeping them: for tables that do not fit in memory.</summary>
    public void Visit(string sql, Func<SqliteDataReader, bool> visit, params ReadOnlySpan<object?> values)
    {
        using var reader = Prepare(sql, values).ExecuteReader();
        while (reader.Read() && visit(reader))
        {
        }
    }

    /// <summary>Reads the whole file and looks for what does not fit together. Takes about a second for each gigabyte that the system has in memory.</summary>
    /// <param name="isThorough">Also compares every index with its table.</param>
    /// <returns>Null when nothing is wrong.</returns>
    public string? FindDamage(bool isThorough)
    {
        try
        {
            var found = Query(isThorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", row => row.GetString(0));
            return found is ["ok"] ? null : $"The store is damaged ({string.Join(' ', found).Split('\n')[^1]}). {StoreFault.AfterDamage}";
        }
        catch (SqliteException error) when (StoreFault.IsDamage(error))
        {
            return StoreFault.Describe(error);
        }
    }

    /// <summary>Brings the write-ahead log into the file as far as no reader is in the way. Outside of a transaction.</summary>
    /// <returns>How large the log is.</returns>
    public long CheckpointWal()
    {
        var pages = QueryFirst("PRAGMA wal_checkpoint(PASSIVE)", row => row.GetInt64(1));
        return Math.Max(pages, 0) * QueryFirst("PRAGMA page_size", row => row.GetInt64(0));
    }

    /// <summary>Copies all that is committed into an empty file, which then needs no other file beside it.</summary>
    public void CopyInto(string path)
    {
        AssertOwner();
        using var target = Open(path, SqliteOpenMode.ReadWrite);
        _connection.BackupDatabase(target._connection);
        target.Execute("PRAGMA journal_mode = DELETE");
    }

    /// <summary>Room on the disk that the file is on, for the user that ccp runs as.</summary>
    public long FreeBytes() => new DriveInfo(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!).AvailableFreeSpace;

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
        {
            command.Dispose();
        }

        _connection.Dispose();
    }

    private static Database Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            connection.Open();
            return new Database(connection, path);
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new StoreUnavailableException($"The store {path} cannot be opened. {StoreFault.Describe(error)}", error);
        }
    }

    /// <summary>Two threads in one connection would end up in each other's transactions, and in each other's rows.</summary>
    private void AssertOwner()
    {
        if (_owner != Nobody && _owner != Environment.CurrentManagedThreadId)
        {
            throw new InvalidOperationException("This connection belongs to another thread.");
        }
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<object?> values)
    {
        AssertOwner();
        ref var command = ref CollectionsMarshal.GetValueRefOrAddDefault(_prepared, sql, out var known);
        if (!known)
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var index = 0; index < values.Length; index++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = $"${index + 1}" });
            }
        }

        for (var index = 0; index < values.Length; index++)
        {
            command!.Parameters[index].Value = values[index] ?? DBNull.Value;
        }

        return command!;
    }
}
