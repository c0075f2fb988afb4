using System.Text;
using System.Web;
using Microsoft.AspNetCore.Http;

namespace Ccp.Issuing;

/// <summary>The page where a person says yes or no to a login. Nobody is logged in to it, so nothing can be done in another's name.</summary>
internal sealed class AuthorizeEndpoint(Issuer issuer, PendingLogins logins)
{
    public async Task AnswerAsync(HttpContext http)
    {
        if (HttpMethods.IsGet(http.Request.Method))
        {
            var login = Find(http.Request.Query["code"]);
            await (login.IsTaken ? TellDecidedAsync(http, 200) : AskAsync(http, 200, login, problem: null));
        }
        else if (HttpMethods.IsPost(http.Request.Method))
        {
            using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
            var form = HttpUtility.ParseQueryString(await reader.ReadToEndAsync());
            await DecideAsync(http, Find(form["code"]), form["answer"], form["invite"]);
        }
        else
        {
            throw new IssuerRefusedException(405, "This page takes GET and POST only.");
        }
    }

    /// <param name="redirect">Where the page's form may lead in the end; null: nowhere but here.</param>
    public static async Task SendAsync(HttpContext http, int status, string html, Uri? redirect = null)
    {
        var body = Encoding.UTF8.GetBytes(html);
        var forms = redirect is null ? "'self'" : $"'self' {redirect.GetLeftPart(UriPartial.Authority)}";
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.ContentLength = body.Length;
        http.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        await http.Response.BodyWriter.WriteAsync(body);
    }

    private PendingLogin Find(string? code) => logins.FindByUserCode(code)
        ?? throw new IssuerRefusedException(404, "This login is not known, or took too long. Begin it again in your terminal.");

    private async Task DecideAsync(HttpContext http, PendingLogin login, string? answer, string? inviteCode)
    {
        switch (answer)
        {
            case "deny" when login.TryTake():
                logins.Forget(login);
                await EndAsync(http, login, "denied", "Nothing was issued", "The login was refused. If somebody sent you here, tell whoever gave you the invite.");
                break;
            case "confirm" when login.TryTake():
                await ConfirmAsync(http, login, inviteCode);
                break;
            case "confirm" or "deny":
                await TellDecidedAsync(http, 409);
                break;
            default:
                throw new IssuerRefusedException(400, "The form said neither yes nor no.");
        }
    }

    private async Task ConfirmAsync(HttpContext http, PendingLogin login, string? inviteCode)
    {
        try
        {
            var issued = await issuer.IssueAsync(login.InviteCode ?? inviteCode, login.Email, login.Device);
            login.End(issued.Pack);
        }
        catch (IssuerRefusedException refused)
        {
            login.GiveBack();
            await AskAsync(http, refused.Status, login, refused.Message);
            return;
        }
        catch
        {
            // Whatever kept the license back: whoever answers for it mends it, and the person says yes again.
            login.GiveBack();
            throw;
        }

        await EndAsync(http, login, "ok", "Done", "The license is on its way to your terminal. You can close this page.");
    }

    private async Task AskAsync(HttpContext http, int status, PendingLogin login, string? problem)
    {
        Invite? invite = null;
        if (login.InviteCode is { } code && problem is null)
        {
            invite = issuer.Find(code);
        }

        var html = login.InviteCode is not null && problem is not null ? AuthorizePage.Tell("No license", problem) : AuthorizePage.Ask(login, invite, problem);
        await SendAsync(http, status, html, login.RedirectUrl);
    }

    private static Task TellDecidedAsync(HttpContext http, int status) =>
        SendAsync(http, status, AuthorizePage.Tell("Decided already", "This login was decided already. Look at your terminal."));

    private static Task EndAsync(HttpContext http, PendingLogin login, string status, string title, string sentence)
    {
        if (login.RedirectUrl is not { } redirect)
        {
            return SendAsync(http, 200, AuthorizePage.Tell(title, sentence));
        }

        // Only that it is decided: the license itself would stay in the browser's history.
        var separator = redirect.Query.Length == 0 ? '?' : '&';
        http.Response.StatusCode = 303;
        http.Response.Headers.Location = $"{redirect.AbsoluteUri}{separator}status={status}";
        return Task.CompletedTask;
    }
}
