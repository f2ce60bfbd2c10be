using CloudPeer.Api.Hosting.Commands;

return await ServerCommands.RunAsync(args, Console.Out, Console.Error);
