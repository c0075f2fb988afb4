using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Pricing;

namespace Ccp.Admin;

/// <summary>What is to become of a user. Null leaves a thing as it is.</summary>
/// <param name="ApiKey">Empty: the user's own key is taken away.</param>
internal sealed record UserUpdate(Secret? ApiKey, bool? IsAdmin, bool? IsDisabled, bool? IsBilled, MarkupChange? Markup, bool ResetsToken, NanoUsd? AddBalance)
{
    public static readonly UserUpdate NewToken = new(null, null, null, null, null, ResetsToken: true, null);

    public LimitsChange? Limits { get; init; }

    public static UserUpdate From(ReadOnlyMemory<byte> json)
    {
        var body = new AdminBody(json, "anthropicApiKey", "isAdmin", "disabled", "billing", "markup", "resetToken", "addBalance", "limits");
        var addBalance = body.Money("addBalance");
        return new UserUpdate(
            body.HeaderSecret("anthropicApiKey"),
            body.Flag("isAdmin"),
            body.Flag("disabled"),
            body.Flag("billing"),
            body.Markup("markup"),
            body.Flag("resetToken") ?? false,
            addBalance == NanoUsd.Zero ? null : addBalance)
        {
            Limits = body.Limits("limits"),
        };
    }

    /// <summary>The update without what the file states just the same.</summary>
    /// <exception cref="AdminRefusedException">The file states otherwise: it would have the last word at the next start.</exception>
    public UserUpdate Within(UserConfig? stated, User user)
    {
        if (stated is null)
        {
            return user.IsFromFile && IsDisabled == false
                ? throw AdminRefusedException.Conflict($"{user.Name} was kept in the configuration file and no longer stands there, which disables them. Put the [[user]] back, or delete {user.Name} here and add them anew.")
                : this;
        }

        RefuseIf(ResetsToken && stated.TokenSha256 is not null, "a token");
        RefuseIf(ApiKey is not null && stated.Key is not null, "key");
        RefuseIf(IsAdmin is not null && stated.IsAdmin is not null && IsAdmin != stated.IsAdmin, "admin");
        RefuseIf(IsBilled is not null && stated.IsBilled is not null && IsBilled != stated.IsBilled, "billing");
        RefuseIf(Markup is not null && stated.Markup is not null && Markup.Factor != stated.Markup, "markup");
        foreach (var name in Limits?.Names.Intersect(LimitsChange.NamesIn(stated.Limits)) ?? [])
        {
            RefuseIf(true, name);
        }

        return this with
        {
            IsAdmin = stated.IsAdmin is null ? IsAdmin : null,
            IsBilled = stated.IsBilled is null ? IsBilled : null,
            Markup = stated.Markup is null ? Markup : null,
        };

        void RefuseIf(bool isStated, string setting)
        {
            if (isStated)
            {
                throw AdminRefusedException.Conflict($"The configuration file states {setting} for {user.Name}. Change it there, under its [[user]], and restart ccp.");
            }
        }
    }

    /// <summary>For the log: what is changed, never to what.</summary>
    public string Names() => string.Join(", ", new[]
    {
        ApiKey is null ? null : ApiKey.Reveal().Length == 0 ? "own key taken away" : "own key set",
        IsAdmin is null ? null : IsAdmin.Value ? "made admin" : "no longer admin",
        IsDisabled is null ? null : IsDisabled.Value ? "disabled" : "enabled",
        IsBilled is null ? null : IsBilled.Value ? "billed" : "not billed",
        Markup is null ? null : "markup changed",
        Limits is null || !Limits.Names.Any() ? null : $"limits changed ({string.Join(", ", Limits.Names.Select(LimitsJson.Words))})",
        ResetsToken ? "new token, the old one is dead" : null,
        AddBalance is null ? null : $"topped up by {AddBalance} USD",
    }.Where(name => name is not null));
}
