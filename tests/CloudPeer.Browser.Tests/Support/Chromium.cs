using Microsoft.Playwright;

namespace CloudPeer.Browser.Tests.Support;

/// <summary>The system's Chromium without a window, driven by Playwright.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright playwright, IBrowser browser)
    {
        _playwright = playwright;
        _browser = browser;
    }

    /// <summary>Starts the browser.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static async Task<Chromium> StartAsync()
    {
        var program = Find();
        var playwright = await Playwright.CreateAsync();
        try
        {
            // Containers have neither a graphics card nor what the sandbox needs, and nobody but the tests' own pages is visited.
            string[] arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"];
            return new(playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = arguments }));
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>Opens a page in a profile of its own. What fails in it is thrown to the test.</summary>
    /// <param name="url">Its address.</param>
    public async Task<IPage> OpenAsync(Uri url)
    {
        var page = await _browser.NewPageAsync();
        await page.GotoAsync(url.AbsoluteUri);
        await page.WaitForFunctionAsync("() => window.app");
        return page;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named) return named;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("There is no Chromium: install it, or run the tests with tests/run.sh, or name the program in CHROMIUM.");
    }
}
