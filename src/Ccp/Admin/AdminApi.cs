namespace Ccp.Admin;

/// <summary>The administration API.</summary>
internal sealed class AdminApi(Till till)
{
    public static bool Owns(string path) => IsForAdmins(path) || path is "/status" or "/healthz" or "/readyz" or "/validate-token" or "/user/balance" or "/user/usage";

    public static bool IsForAdmins(string path) => path.StartsWith("/admin/", StringComparison.Ordinal);

    public static AdminAnswer Error(int status, string message) => new(status, System.Text.Encoding.UTF8.GetBytes(message));

    public ValueTask<AdminAnswer> HandleAsync(AdminRequest request) => ValueTask.FromResult(Error(404, till.DatabasePath));
}
