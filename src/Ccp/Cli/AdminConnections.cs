using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Store;

namespace Ccp.Cli;

/// <summary>Finds whom a command talks to: the server that is named, the one that runs on this host, or the store.</summary>
internal static class AdminConnections
{
    /// <param name="server">From --server; null: CCP_SERVER, else this host.</param>
    /// <param name="configFile">From --config; looked at only when no server runs.</param>
    public static async Task<AdminConnection> OpenAsync(string? server, string? configFile, Func<string, string?> environment) =>
        await FindServerAsync(server, environment) is { } running ? running : ToStore(configFile, DataDirectory.From(environment), environment);

    /// <returns>Null when none is named and none runs on this host.</returns>
    public static async Task<ServerConnection?> FindServerAsync(string? server, Func<string, string?> environment)
    {
        if ((server ?? environment("CCP_SERVER")) is { Length: > 0 } url)
        {
            return ToServer(url, environment);
        }

        var data = DataDirectory.From(environment);
        return File.Exists(data.SocketPath) ? await ServerConnection.TryOverSocketAsync(data.SocketPath) : null;
    }

    private static ServerConnection ToServer(string url, Func<string, string?> environment)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
        {
            throw new WrongUsageException("The server is named by its URL, for example http://127.0.0.1:8082.");
        }

        if (server.Scheme == "http" && !server.IsLoopback)
        {
            throw new WrongUsageException("An admin's token would cross the network in the clear. Use https, or a tunnel to the server's loopback address.");
        }

        if (environment("CCP_ADMIN_TOKEN")?.Trim() is not { Length: > 0 } token || token.Any(c => c is <= ' ' or > '~'))
        {
            throw new WrongUsageException("Talking to a server by its URL takes an admin's token in the environment variable CCP_ADMIN_TOKEN; for ccp receipt a user's own will do.");
        }

        var handler = ServerConnection.NewHandler();
        if (server.Scheme == "https")
        {
            handler.SslOptions.CertificateChainPolicy = TrustedRoots.Find(null, environment("SSL_CERT_FILE"), environment("SSL_CERT_DIR")).ToChainPolicy();
        }

        return new ServerConnection(handler, server, token);
    }

    private static StoreConnection ToStore(string? configFile, DataDirectory data, Func<string, string?> environment)
    {
        var source = ConfigSource.Load(configFile, data, environment);
        if (source.Result.Config is not { } config)
        {
            throw new CommandFailedException(string.Join('\n', source.Result.Problems));
        }

        var store = data.Resolve(config.Storage.Path);
        DataDirectory.RefuseUnseen(store);
        if (!File.Exists(store))
        {
            throw new CommandFailedException($"There is no store at {store}. Run ccp init, or set CCP_HOME to the data directory of the one you mean.");
        }

        try
        {
            return new StoreConnection(config, data, environment);
        }
        catch (StoreUnavailableException error) when (error.IsInUse)
        {
            throw new CommandFailedException($"A ccp has the store {store} open, but does not answer on {data.SocketPath}. It may be starting or stopping: try again, or stop it first.", error);
        }
    }
}
