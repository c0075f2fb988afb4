using Ccp.Identity;

namespace Ccp.Cli;

/// <summary>Makes the user <c>admin</c> in a store that has no admin yet.</summary>
internal static class FirstAdmin
{
    private const string Name = "admin";

    /// <returns>Its token, to be shown once; null when there was an admin already.</returns>
    public static async Task<string?> MakeAsync(Till till)
    {
        if (till.Users.All.Any(user => user.IsAdmin) || till.Users.FindByName(Name) is not null)
        {
            return null;
        }

        var token = AccessToken.New();
        var users = await till.Writes.WriteAsync(database =>
        {
            till.UserStore.Insert(database, Name, AccessToken.HashOf(token), isAdmin: true);
            return till.UserStore.Load(database, till.Config.Users);
        });
        till.Users.Replace(users);
        return token;
    }
}
