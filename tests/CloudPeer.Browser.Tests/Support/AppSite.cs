using CloudPeer.TestKit;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace CloudPeer.Browser.Tests.Support;

/// <summary>The web site of an app, at an address of its own: one page, its program, and the protocol's descriptors.</summary>
public sealed class AppSite : IAsyncDisposable
{
    private const string Page = """<!doctype html><html lang="en"><title>App</title><script type="module" src="/app.js"></script></html>""";

    private readonly WebApplication _app;

    private AppSite(WebApplication app) => _app = app;

    /// <summary>The page's address. Browsers take it for safe, since it is this machine's.</summary>
    public Uri Url => new(_app.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));

    /// <summary>Puts the program of <c>web/app.js</c> into one file and serves it.</summary>
    public static async Task<AppSite> StartAsync(CancellationToken cancellationToken)
    {
        var program = await BundleAsync(cancellationToken);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context => context.Request.Path.Value switch
        {
            "/app.js" => SendAsync(context, "text/javascript", program),
            "/protos" => SendAsync(context, "application/octet-stream", Descriptors().ToByteArray()),
            _ => SendAsync(context, "text/html", System.Text.Encoding.UTF8.GetBytes(Page)),
        });
        await app.StartAsync(cancellationToken);
        return new(app);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task<byte[]> BundleAsync(CancellationToken cancellationToken)
    {
        using var folder = new TempFolder("app");
        var bundle = folder.File("app.js");
        string[] arguments = [RepositoryRoot.PathOf("tests", "CloudPeer.Browser.Tests", "web", "app.js"), "--bundle", "--format=esm", "--target=es2022", "--log-level=warning", $"--outfile={bundle}"];
        var spec = NodeFolder.Spec("tests/CloudPeer.Browser.Tests/web", "node_modules/esbuild/bin/esbuild", arguments);
        (await ProcessRunner.RunAsync(spec, cancellationToken)).EnsureSuccess();
        return await File.ReadAllBytesAsync(bundle, cancellationToken);
    }

    // Every file after those that it imports.
    private static FileDescriptorSet Descriptors()
    {
        var set = new FileDescriptorSet();
        var known = new HashSet<string>(StringComparer.Ordinal);
        void Add(FileDescriptor file)
        {
            foreach (var dependency in file.Dependencies) Add(dependency);
            if (known.Add(file.Name)) set.File.Add(file.ToProto());
        }

        Add(V1.DiscoveryReflection.Descriptor);
        Add(V1.SessionReflection.Descriptor);
        Add(V1.SyncReflection.Descriptor);
        Add(ErrorDetailsReflection.Descriptor);
        return set;
    }

    private static async Task SendAsync(HttpContext context, string type, byte[] content)
    {
        context.Response.ContentType = type;
        await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }
}
