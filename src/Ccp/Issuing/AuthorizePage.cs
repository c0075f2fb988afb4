using System.Net;

namespace Ccp.Issuing;

/// <summary>The pages that a person sees at the issuer: plain HTML without script, style or picture. Everything put in is escaped here.</summary>
internal static class AuthorizePage
{
    /// <param name="invite">Null: the page asks for the code of one.</param>
    /// <param name="problem">What was wrong with the last try; null on the first.</param>
    public static string Ask(PendingLogin login, Invite? invite, string? problem)
    {
        var offer = invite is null
            ? """<p><label>Invite code: <input name="invite" required maxlength="128" autocomplete="off" autofocus></label></p>"""
            : $"<p>You get: plan <b>{Escaped(invite.Plan)}</b>, features <b>{Escaped(invite.Features.Count == 0 ? "none" : string.Join(", ", invite.Features))}</b>, for {invite.Lifetime.TotalDays} days.</p>";
        var bound = login.Device is null ? "" : "<p>The license will be valid on the host of the ccp that it is for, and nowhere else.</p>";
        return Page(
            "A license for ccp",
            $"""
            {(problem is null ? "" : $"<p><strong>{Escaped(problem)}</strong></p>")}
            <p>Go on only if this code is the one in your terminal: <b>{Escaped(login.UserCode)}</b></p>
            <form method="post" action="authorize">
            <input type="hidden" name="code" value="{Escaped(login.UserCode)}">
            {offer}{bound}
            <p><button name="answer" value="confirm">Get the license</button> <button name="answer" value="deny" formnovalidate>That was not me</button></p>
            </form>
            """);
    }

    public static string Tell(string title, string sentence) => Page(title, $"<p>{Escaped(sentence)}</p>");

    private static string Page(string title, string body) =>
        $"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Escaped(title)}</title></head>
        <body>
        <h1>{Escaped(title)}</h1>
        {body}
        </body>
        </html>

        """;

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);
}
