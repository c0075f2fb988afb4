using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Usage;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    public Task<ReceiptView> ReceiptAsync(string id) => ReceiptAsync(id, account: null);

    /// <summary>A user's own. Somebody else's request is answered as one that never was.</summary>
    public Task<ReceiptView> ReceiptAsync(string id, User user) => ReceiptAsync(id, user.AccountId);

    private Task<ReceiptView> ReceiptAsync(string id, long? account) => ReadAsync(database =>
    {
        // One snapshot: else a charge could be posted, and its hold be gone, between the two questions.
        database.Run("BEGIN");
        return Receipt.Find(database, id, account) is { } receipt ? ReceiptView.Of(receipt, forAdmin: account is null)
            : HoldRow.Find(database, id) is { } hold && (account is null || hold.AccountId == account) ? throw StillRunning()
            : throw NoSuchRequest();
    });

    private static AdminRefusedException StillRunning() =>
        AdminRefusedException.Conflict("This request is still in progress: it is charged when it ends. Ask again then.");

    private static AdminRefusedException NoSuchRequest() => new(
        404,
        "There is no request of this id. The id stands in the answer's header x-ccp-request-id, in the usage log as rid, in ccp requests, and beside the charge in ccp ledger show.");
}
