using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Api.Sessions;
using Grpc.AspNetCore.Server;

namespace CloudPeer.Api.Hosting;

/// <summary>gRPC, gRPC-Web, reflection and what browsers of other sites need.</summary>
internal static class GrpcServer
{
    private static readonly string[] ExposedHeaders = ["Grpc-Status", "Grpc-Message", "grpc-status-details-bin", "Grpc-Encoding", "Grpc-Accept-Encoding"];

    public static IServiceCollection AddGrpcServer(this IServiceCollection services, ServerSettings settings)
    {
        services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = ServerLimits.FrameBytes;
            options.MaxSendMessageSize = ServerLimits.FrameBytes;
            // The first is the outermost.
            options.Interceptors.Add<RefusalInterceptor>();
            options.Interceptors.Add<SessionInterceptor>();
        });
        // What is sealed does not become shorter, so nothing is taken that is small on the way and large here.
        services.PostConfigure<GrpcServiceOptions>(options => options.CompressionProviders.Clear());
        services.AddSingleton<RefusalInterceptor>();
        if (settings.Reflection) services.AddGrpcReflection();
        // Calls carry a token in a header and never a cookie, so any site may make them.
        services.AddCors(options => options.AddDefaultPolicy(policy =>
            policy.AllowAnyOrigin().AllowAnyMethod().AllowAnyHeader().WithExposedHeaders(ExposedHeaders)));
        return services;
    }

    public static void UseGrpcServer(this IApplicationBuilder app)
    {
        app.UseCors();
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
    }

    public static void MapGrpcServer(this IEndpointRouteBuilder app, ServerSettings settings)
    {
        if (settings.Reflection) app.MapGrpcReflectionService();
    }
}
