using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ccp.Identity;
using Ccp.Licenses;
using Ccp.Refusals;
using Ccp.Store;
using Ccp.Telemetry;
using Microsoft.Data.Sqlite;

namespace Ccp.Admin;

/// <summary>The administration API: finds the operation that a method and a path ask for, sees to it that the caller may, and turns its result into JSON.</summary>
/// <remarks>Errors: <c>{"error":"what is wrong, and what to do"}</c> with the status that fits.</remarks>
internal sealed class AdminApi(Till till, CurrentLicense license, Switchboard board) : IDisposable
{
    private readonly LicenseOperations _license = new(license, () => board.Config.Now, till.Log);
    private readonly AdminOperations _operations = new(till, () => board.Config.Now);
    private readonly LaneOperations _lanes = new(till, board);
    private readonly QuotaOperations _quotas = new(till, board);
    private readonly UsableLanes _usable = new(till, board);
    private readonly MetricsPage _metrics = new(till, license, board);
    private readonly Doctor _doctor = new(till, board, license);

    public static bool Owns(string path) => IsForAdmins(path) || path is "/status" or "/healthz" or "/readyz" or "/metrics" or "/validate-token" or "/user/balance" or "/user/usage"
        || path.StartsWith("/user/requests/", StringComparison.Ordinal);

    public static bool IsForAdmins(string path) => path.StartsWith("/admin/", StringComparison.Ordinal) || path is "/v1/usage" or "/v1/quotas" or "/v1/quotas/reload";

    public static AdminAnswer Error(int status, string message) => Answer(new ErrorView(message), AdminJson.Default.ErrorView, status);

    public static AdminAnswer Answer(LicenseView license) => Answer(license, AdminJson.Default.LicenseView);

    public static AdminAnswer TooManyFailedTokens(Refusal refusal)
    {
        var wire = RefusalMap.ToWire(refusal);
        return Error(wire.Status, refusal.Message) with { RetryAfterSeconds = wire.RetryAfterSeconds };
    }

    public async ValueTask<AdminAnswer> HandleAsync(AdminRequest request)
    {
        try
        {
            if ((IsForAdmins(request.Path) && !IsForUsersToo(request)) || request.Path is "/healthz" or "/readyz" or "/metrics")
            {
                RefuseUnlessAdmin(request.Actor);
            }

            return await AnswerAsync(request);
        }
        catch (AdminRefusedException refused)
        {
            return Answer(new ErrorView(refused.Message, refused.MinimumPayment), AdminJson.Default.ErrorView, refused.Status);
        }
        catch (StoreUnavailableException error)
        {
            return Error(503, error.Message);
        }
        catch (SqliteException error)
        {
            if (StoreFault.IsDamage(error))
            {
                till.Writes.ReportDamage(StoreFault.Describe(error));
            }

            return Error(503, StoreFault.Describe(error));
        }
    }

    public void Dispose() => _operations.Dispose();

    private async Task<AdminAnswer> AnswerAsync(AdminRequest request)
    {
        var query = new AdminQuery(request.Query);
        var actor = request.Actor.Name;
        return (request.Method, request.Path.TrimStart('/').Split('/')) switch
        {
            ("GET", ["status"]) => Answer(AdminOperations.Status(), AdminJson.Default.StatusView),
            ("GET", ["healthz"]) => Answer(AdminOperations.Status(), AdminJson.Default.StatusView),
            ("GET", ["readyz"]) => _operations.Ready() with { License = _license.Summary(), Lanes = await _lanes.ReachAsync(), Circuits = board.Circuits.Shown, Policy = _lanes.PolicySummary(), Configuration = _lanes.ConfigSummary() } is var ready ? Answer(ready, AdminJson.Default.ReadyView, ready.Ready ? 200 : 503) : null!,
            ("GET", ["metrics"]) => new AdminAnswer(200, Encoding.UTF8.GetBytes(_metrics.Write())) { ContentType = PrometheusText.ContentType },
            ("POST", ["validate-token"]) => _operations.Validate(request.Body, request.From).Allows(out var token, out var wait) ? Answer(token, AdminJson.Default.TokenView) : TooManyFailedTokens(wait),
            ("GET", ["user", "balance"]) => Answer(_operations.Balance(UserOf(request)), AdminJson.Default.BalanceView),
            ("GET", ["user", "usage"]) => Answer(await _operations.OwnUsageAsync(UserOf(request), query), AdminJson.Default.OwnUsageView),
            ("GET", ["admin", "users"]) => Answer(await _operations.ListUsersAsync(), AdminJson.Default.DictionaryStringUserView),
            ("POST", ["admin", "users"]) => Answer(await _operations.AddUserAsync(request.Body, actor), AdminJson.Default.UserChangeView, 201),
            ("PUT", ["admin", "users", var name]) => Answer(await _operations.UpdateUserAsync(name, UserUpdate.From(request.Body), actor), AdminJson.Default.UserChangeView),
            ("DELETE", ["admin", "users", var name]) => Answer(await _operations.DeleteUserAsync(name, actor), AdminJson.Default.UserChangeView),
            ("POST", ["admin", "users", var name, "token"]) => Answer(await _operations.UpdateUserAsync(name, UserUpdate.NewToken, actor), AdminJson.Default.UserChangeView),
            ("GET", ["admin", "balance", var name]) => Answer(_operations.Balance(name), AdminJson.Default.BalanceView),
            ("POST", ["admin", "balance", var name]) => Answer(await _operations.ChangeBalanceAsync(name, request.Body, actor), AdminJson.Default.BalanceChangeView),
            ("GET", ["admin", "usage"]) => Answer(await _operations.UsageAsync(query), AdminJson.Default.DictionaryStringUserUsageView),
            ("GET", ["admin", "usage", "by"]) => Answer(await _operations.UsageByAsync(query), AdminJson.Default.ListUsageGroupView),
            ("GET", ["admin", "ledger"]) => Answer(await _operations.EntriesAsync(query), AdminJson.Default.ListLedgerLine),
            ("GET", ["admin", "ledger", "verify"]) => Answer(await _operations.VerifyAsync(), AdminJson.Default.LedgerVerdictView),
            ("GET", ["admin", "requests"]) => Answer(await _operations.RequestsAsync(query), AdminJson.Default.ListRequestLine),
            ("GET", ["admin", "requests", var id, "receipt"]) => Answer(await (request.Actor.IsAdmin ? _operations.ReceiptAsync(id) : _operations.ReceiptAsync(id, UserOf(request))), AdminJson.Default.ReceiptView),
            ("GET", ["user", "requests", var id, "receipt"]) => Answer(await _operations.ReceiptAsync(id, UserOf(request)), AdminJson.Default.ReceiptView),
            ("POST", ["admin", "requests", var id, "refund"]) => Answer(await _operations.RefundAsync(id, request.Body, actor), AdminJson.Default.RefundView),
            ("GET", ["admin", "pricing"]) => Answer(_operations.Prices(query), AdminJson.Default.ListPriceRowView),
            ("GET", ["admin", "pricing", "explain"]) => Answer(_operations.ExplainPrice(query, _usable), AdminJson.Default.PriceExplanationView),
            ("POST", ["admin", "pricing", "rerate"]) => Answer(await _operations.RerateAsync(request.Body, actor), AdminJson.Default.RerateView),
            ("GET", ["admin", "savings"]) => Answer(await _operations.SavingsAsync(query), AdminJson.Default.SavingsView),
            ("POST", ["admin", "db", "backup"]) => Answer(await _operations.BackupAsync(request.Body, request.Actor), AdminJson.Default.BackupView, 201),
            ("GET", ["admin", "db", "check"]) => Answer(await _operations.CheckStoreAsync(), AdminJson.Default.StoreCheckView),
            ("GET", ["admin", "lanes"]) => Answer(_lanes.Show(), AdminJson.Default.LanesView),
            ("POST", ["admin", "lanes", "pause"]) => Answer(_lanes.Pause(actor), AdminJson.Default.LanesView),
            ("POST", ["admin", "lanes", "resume"]) => Answer(_lanes.Resume(actor), AdminJson.Default.LanesView),
            ("POST", ["admin", "reload"]) => Answer(_lanes.Reload(actor), AdminJson.Default.ReloadView),
            ("GET", ["admin", "doctor"]) => Answer(await _doctor.ExamineAsync(), AdminJson.Default.DoctorView),
            ("GET", ["admin", "verify"]) => Answer(await _lanes.VerifyUsageAsync(query), AdminJson.Default.UsageVerdictView),
            ("GET", ["admin", "license"]) => Answer(_license.Show()),
            ("POST", ["admin", "license"]) => Answer(_license.Activate(request.Body, actor)),
            ("DELETE", ["admin", "license"]) => Answer(_license.Deactivate(actor)),
            ("GET", ["v1", "usage"]) => Answer(await _quotas.UsageAsync(query), AdminJson.Default.LaneReportView),
            ("GET", ["v1", "quotas"]) => Answer(_quotas.Show(), AdminJson.Default.QuotasView),
            ("POST", ["v1", "quotas", "reload"]) => Answer(await _quotas.ReloadAsync(actor), AdminJson.Default.QuotasView),
            (_, var path) when IsKnown(path) => Error(405, "This path knows other methods than the one used."),
            _ => Error(404, "ccp has no such path."),
        };
    }

    /// <summary>A receipt: users have those of their own requests there too, in the form that is theirs.</summary>
    private static bool IsForUsersToo(AdminRequest request) =>
        request is { Method: "GET", Actor.User: not null } && request.Path.TrimStart('/').Split('/') is ["admin", "requests", _, "receipt"];

    private static bool IsKnown(string[] path) => path is
        ["status" or "healthz" or "readyz" or "metrics" or "validate-token"]
        or ["user", "balance" or "usage"]
        or ["admin", "users" or "usage" or "ledger" or "requests"]
        or ["admin", "users" or "balance", _]
        or ["admin", "users", _, "token"]
        or ["admin", "usage", "by"]
        or ["admin", "ledger", "verify"]
        or ["admin" or "user", "requests", _, "receipt"]
        or ["admin", "requests", _, "refund"]
        or ["admin", "pricing"]
        or ["admin", "pricing", "explain" or "rerate"]
        or ["admin", "savings"]
        or ["admin", "db", "backup" or "check"]
        or ["admin", "license"]
        or ["admin", "lanes" or "reload" or "doctor" or "verify"]
        or ["admin", "lanes", "pause" or "resume"]
        or ["v1", "usage" or "quotas"]
        or ["v1", "quotas", "reload"];

    private static void RefuseUnlessAdmin(AdminActor actor)
    {
        if (!actor.IsAdmin)
        {
            throw actor.User is null
                ? new AdminRefusedException(401, "This needs the ccp token of an admin. Send it as authorization: Bearer TOKEN, as x-api-key or as x-auth-token.")
                : new AdminRefusedException(403, $"{actor.Name} is no admin. Ask an operator.");
        }
    }

    private static User UserOf(AdminRequest request) => request.Actor.User
        ?? throw new AdminRefusedException(401, "This needs a valid ccp token. Send it as authorization: Bearer TOKEN, as x-api-key or as x-auth-token.");

    private static AdminAnswer Answer<T>(T value, JsonTypeInfo<T> type, int status = 200) => new(status, JsonSerializer.SerializeToUtf8Bytes(value, type));
}
