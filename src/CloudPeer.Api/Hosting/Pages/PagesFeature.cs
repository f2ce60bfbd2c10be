using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Net.Http.Headers;

namespace CloudPeer.Api.Hosting.Pages;

/// <summary>The start page, the page for addresses that do not exist, and the headers that every answer carries.</summary>
internal static class PagesFeature
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static IServiceCollection AddPages(this IServiceCollection services) => services.AddSingleton<StartPage>().AddProblemDetails();

    /// <summary>Outermost: adds headers, and turns failures and empty error answers into a page or problem+json.</summary>
    public static void UsePages(this IApplicationBuilder app)
    {
        app.Use((context, next) =>
        {
            AddSecurityHeaders(context.Response.Headers);
            return next(context);
        });
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = WriteProblemAsync, SuppressDiagnosticsCallback = Expected });
        app.UseStatusCodePages(context => WriteProblemAsync(context.HttpContext));
    }

    public static void MapPages(this IEndpointRouteBuilder app)
    {
        app.MapGet("/", (HttpContext context, StartPage page) => Html(page.Render(context.Request)));
        app.MapGet("/style.css", (HttpContext context) =>
        {
            context.Response.Headers[HeaderNames.CacheControl] = "public, max-age=3600";
            return Results.Text(PageText.Style, MediaTypeNames.Text.Css, Encoding.UTF8);
        });
    }

    private static void AddSecurityHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
    }

    private static bool Expected(ExceptionHandlerSuppressDiagnosticsContext context) =>
        context.HttpContext.RequestAborted.IsCancellationRequested;

    private static IResult Html(string text) => Results.Text(text, MediaTypeNames.Text.Html, Encoding.UTF8);

    private static Task WriteProblemAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        var title = status switch
        {
            StatusCodes.Status404NotFound => "There is nothing at this address.",
            StatusCodes.Status429TooManyRequests => "Too many requests come from your address. Try again in a moment.",
            _ => "The server cannot answer this request.",
        };
        var wantsHtml = context.Request.Headers.Accept.ToString().Contains(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase);
        var result = wantsHtml
            ? Results.Text(PageText.Problem(status, title), MediaTypeNames.Text.Html, Encoding.UTF8, status)
            : Results.Problem(title: title, statusCode: status);
        return result.ExecuteAsync(context);
    }
}
